/** `tidegate explain`: which rule a descriptor meets, which bucket counts it, and why. */
import { relative, sep } from 'node:path';
import { compileFor, limitsPathOf, readLimitsAt } from '../app/limits-loading';
import { TidegateError } from '../core/errors';
import type { RlsEntry } from '../core/rls';
import { explain as explainDescriptor, type Explanation } from '../limiter/explanation';
import { readOptions } from './arguments';
import type { CommandInput } from './command';
import { Refusal } from '../app/refusal';
import { settingsFor } from './settings';

const OPTIONS = {
  domain: { type: 'string' },
  entry: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const;

/** @throws TidegateError TG_USAGE, or Refusal with the mistakes of the limits files. */
export async function explain(input: CommandInput): Promise<void> {
  const { values } = readOptions(input.rest, OPTIONS, false);
  const { domain, entry: entries = [] } = values;
  if (domain === undefined) throw new TidegateError('TG_USAGE', 'explain needs --domain DOMAIN');
  if (entries.length === 0)
    throw new TidegateError('TG_USAGE', 'explain needs at least one --entry KEY=VALUE');
  const { settings } = settingsFor(input.settingsFlags, input.env);
  const { table, errors } = compileFor(await readLimitsAt(limitsPathOf(settings), settings), settings);
  if (table === undefined) throw new Refusal(errors);
  const explanation = explainDescriptor(table, domain, {
    entries: entries.map(readEntry),
    negativeHits: false,
  });
  input.out(values.json === true ? `${JSON.stringify(explanation, undefined, 2)}\n` : render(explanation));
}

/** `key=value`; a value may hold more `=`, and none at all is an empty value. */
function readEntry(text: string): RlsEntry {
  const at = text.indexOf('=');
  const key = at < 0 ? text : text.slice(0, at);
  if (key === '')
    throw new TidegateError('TG_USAGE', `--entry '${text}' has no key`, {
      remedy: 'write --entry KEY=VALUE',
    });
  return { key, value: at < 0 ? '' : text.slice(at + 1) };
}

/** A file's place as one would type it here: relative when it lies in the working directory. */
function fromHere(place: string): string {
  const path = relative(process.cwd(), place);
  return path.startsWith(`..${sep}`) ? place : path;
}

function render(explanation: Explanation): string {
  const lines = [`domain ${explanation.domain}`];
  explanation.steps.forEach((step, index) =>
    lines.push(`${'  '.repeat(index + 1)}${step.entry}  ->  ${step.met}`),
  );
  lines.push(explanation.conclusion);
  const { rule } = explanation;
  if (rule !== undefined) {
    lines.push(`  rule        ${rule.id}${rule.name === '' ? '' : ` (${rule.name})`}, ${fromHere(rule.at)}`);
    lines.push(
      `  bucket      ${explanation.bucketKey ?? ''}`,
      `  metric key  ${explanation.metricKey ?? ''}`,
    );
    lines.push(`  on error    ${rule.onError}`, `  consistency ${rule.consistency}`);
    if (rule.priority !== null) lines.push(`  priority    ${rule.priority}`);
  }
  return `${lines.join('\n')}\n`;
}
