/** `tidegate train SCENARIO.yaml`: learns an allocation from a scenario's train days. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { assertApart, assertWritable, writeWhole } from '../app/backtest/report-files';
import { readScenario } from '../app/simulate/scenario-reader';
import { trainScenario } from '../app/training/train-scenario';
import { trainingJson } from '../app/training/training-json';
import { trainingPlan } from '../app/training/training-plan';
import { trainingPage } from '../app/training/training-page';
import { endLine, heldOutTable, planLines } from '../app/training/training-text';
import { parseDurationUs } from '../core/duration';
import { TidegateError } from '../core/errors';
import { givenWhole, readOptions } from './arguments';
import type { CommandInput } from './command';
import { interruptible } from './interruption';
import { progressBar } from './progress-bar';

const OPTIONS = {
  seed: { type: 'string' },
  budget: { type: 'string' },
  updates: { type: 'string' },
  out: { type: 'string' },
  resume: { type: 'string' },
  html: { type: 'string' },
  json: { type: 'string' },
  threads: { type: 'string' },
  quiet: { type: 'boolean' },
} as const;

const SEED_MAX = 0xffff_ffff;
const THREADS_MAX = 64;
const UPDATES_MAX = 100_000;
const DEFAULT_BUDGET = '10m';
const BUDGET_MIN_MS = 1_000;
const BUDGET_MAX_MS = 7 * 86_400_000;

/** @throws TidegateError or Refusal for bad options, a bad scenario, too few days, or a checkpoint that is none of it. */
export async function train(input: CommandInput): Promise<void> {
  const options = trainOptions(input);
  const checkpoint = `${options.out}.checkpoint`;
  const outputs = [options.out, options.html, options.json].filter((path) => path !== undefined);
  for (const path of [...outputs, checkpoint]) assertWritable(path);
  assertApart(options.file, [...outputs, checkpoint]);
  const { scenario, warnings } = await readScenario(options.file, options.seed);
  const plan = trainingPlan(scenario, options);
  const name = basename(options.file);
  const tell = (lines: readonly string[]): void => {
    if (!options.quiet) input.out(`${lines.join('\n')}\n`);
  };
  await interruptible(async (signal) => {
    const progress = progressBar(options.quiet);
    try {
      const { budgetMs, threads, resume } = options;
      const trained = await trainScenario({
        ...{ plan, budgetMs, threads, resume, checkpoint, signal },
        onPlan: (whole) => tell(planLines(name, whole, warnings)),
        onProgress: (part, what) => progress.update(part, what),
      });
      progress.stop();
      const { outcome, model } = trained;
      tell([`\n${heldOutTable(outcome.curves, outcome.best.updates)}`, endLine(outcome)]);
      const write = (path: string, text: string): void => {
        writeWhole(path, text);
        tell([`written: ${path}`]);
      };
      write(options.out, model);
      if (options.html !== undefined) {
        write(options.html, trainingPage(name, trained.plan, warnings, outcome));
      }
      if (options.json !== undefined) {
        write(options.json, `${JSON.stringify(trainingJson(trained.plan, outcome), undefined, 2)}\n`);
      }
    } finally {
      progress.stop();
      if (signal.aborted && existsSync(checkpoint)) {
        input.err(`stopped; go on with --resume ${checkpoint}\n`);
      }
    }
  });
}

function trainOptions({ rest, settingsFlags }: CommandInput) {
  const { values, positionals } = readOptions(rest, OPTIONS, true);
  if (settingsFlags.length > 0) {
    throw new TidegateError('TG_USAGE', `train takes no settings; ${settingsFlags[0]} is one`);
  }
  const [file, ...more] = positionals;
  if (file === undefined) throw new TidegateError('TG_USAGE', 'train needs the path of a scenario');
  if (more.length > 0)
    throw new TidegateError('TG_USAGE', `train takes one scenario; '${more[0]}' is another`);
  if (values.out === undefined) {
    throw new TidegateError('TG_USAGE', 'train needs --out and the path of the model to write');
  }
  return {
    file,
    out: values.out,
    html: values.html,
    json: values.json,
    resume: values.resume,
    budgetMs: budgetOf(values.budget ?? DEFAULT_BUDGET),
    seed: givenWhole('--seed', values.seed, 0, SEED_MAX),
    updates: givenWhole('--updates', values.updates, 1, UPDATES_MAX),
    threads: givenWhole('--threads', values.threads, 0, THREADS_MAX) ?? availableParallelism(),
    quiet: values.quiet === true,
  };
}

function budgetOf(text: string): number {
  const ms = (parseDurationUs(text) ?? NaN) / 1_000;
  if (ms >= BUDGET_MIN_MS && ms <= BUDGET_MAX_MS) return ms;
  throw new TidegateError('TG_USAGE', `--budget takes CPU time such as 90s or 10m, up to 7d, not '${text}'`);
}
