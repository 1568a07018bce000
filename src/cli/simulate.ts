/** `tidegate simulate SCENARIO.yaml`: how policies would have served services that share a total. */
import { basename } from 'node:path';
import { assertApart, assertWritable, writeWhole } from '../app/backtest/report-files';
import { policiesNamed } from '../app/simulate/policies';
import { runSimulation } from '../app/simulate/run-simulation';
import { readScenario } from '../app/simulate/scenario-reader';
import { simulationJson } from '../app/simulate/simulation-json';
import { simulationPage } from '../app/simulate/simulation-page';
import { scenarioLines, simulationTables } from '../app/simulate/simulation-text';
import { TidegateError } from '../core/errors';
import { givenWhole, readOptions } from './arguments';
import type { CommandInput } from './command';
import { interruptible } from './interruption';
import { progressBar } from './progress-bar';

const OPTIONS = {
  json: { type: 'string' },
  html: { type: 'string' },
  policies: { type: 'string' },
  model: { type: 'string' },
  seed: { type: 'string' },
  threads: { type: 'string' },
  quiet: { type: 'boolean' },
} as const;

const SEED_MAX = 0xffff_ffff;
const THREADS_MAX = 64;

/** @throws TidegateError or Refusal for bad options, a bad scenario or traces that cannot be read. */
export async function simulate(input: CommandInput): Promise<void> {
  const options = simulateOptions(input);
  const policies = policiesNamed(options.policies, options.model);
  const outputs = [options.json, options.html].filter((path) => path !== undefined);
  for (const path of outputs) assertWritable(path);
  assertApart(options.file, outputs);
  if (options.model !== undefined) assertApart(options.model, outputs);
  const { scenario, warnings } = await readScenario(options.file, options.seed);
  const name = basename(options.file);
  const tell = (lines: readonly string[]): void => {
    if (!options.quiet) input.out(`${lines.join('\n')}\n`);
  };
  tell(scenarioLines(name, scenario, warnings));
  await interruptible(async (signal) => {
    const progress = progressBar(options.quiet);
    try {
      const onProgress = (part: number, what: string): void => progress.update(part, what);
      const { threads } = options;
      const outcomes = await runSimulation({ scenario, policies, threads, signal, onProgress });
      progress.stop();
      input.out(`\n${simulationTables(outcomes)}`);
      const write = (path: string, text: string): void => {
        writeWhole(path, text);
        tell([`written: ${path}`]);
      };
      if (options.json !== undefined) {
        write(options.json, `${JSON.stringify(simulationJson(outcomes), undefined, 2)}\n`);
      }
      if (options.html !== undefined) write(options.html, simulationPage(name, scenario, warnings, outcomes));
    } finally {
      progress.stop();
    }
  });
}

function simulateOptions({ rest, settingsFlags }: CommandInput) {
  const { values, positionals } = readOptions(rest, OPTIONS, true);
  if (settingsFlags.length > 0) {
    throw new TidegateError('TG_USAGE', `simulate takes no settings; ${settingsFlags[0]} is one`);
  }
  const [file, ...more] = positionals;
  if (file === undefined) throw new TidegateError('TG_USAGE', 'simulate needs the path of a scenario');
  if (more.length > 0)
    throw new TidegateError('TG_USAGE', `simulate takes one scenario; '${more[0]}' is another`);
  return {
    file,
    json: values.json,
    html: values.html,
    policies: values.policies?.split(',').map((name) => name.trim()),
    model: values.model,
    seed: givenWhole('--seed', values.seed, 0, SEED_MAX),
    threads: givenWhole('--threads', values.threads, 0, THREADS_MAX),
    quiet: values.quiet === true,
  };
}
