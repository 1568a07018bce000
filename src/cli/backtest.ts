/** `tidegate backtest FILE.csv`: how well every model, and the product's own choice, would have forecast a series. */
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import {
  DEFAULT_MODEL,
  modelNamed,
  modelNames,
  ONLINE_MODEL,
  onlineModelNames,
} from '../app/backtest/models';
import { assertApart, assertWritable, writeWhole } from '../app/backtest/report-files';
import { backtestJson, onlineJson, type BacktestSubject } from '../app/backtest/report-json';
import {
  backtestTables,
  failureLines,
  onlinePlanLine,
  onlineTable,
  planLine,
  subjectLines,
} from '../app/backtest/report-text';
import { backtestPage } from '../app/backtest/report/backtest-page';
import { onlinePage } from '../app/backtest/report/online-page';
import { runBacktest, runOnlineBacktest, type BacktestJob } from '../app/backtest/run-backtest';
import { readSeriesFile } from '../app/backtest/series-file';
import { TidegateError } from '../core/errors';
import { onlinePlanFor, planFor } from '../forecast/backtest/plan';
import { backtestOptions, type BacktestOptions } from './backtest-options';
import type { CommandInput } from './command';
import { interruptible } from './interruption';
import { progressBar, type Progress } from './progress-bar';

/** @throws TidegateError or Refusal for bad options, a bad file, or a plan that the series is too short for. */
export async function backtest(input: CommandInput): Promise<void> {
  const options = backtestOptions(input.rest);
  if (input.settingsFlags.length > 0) {
    throw new TidegateError('TG_USAGE', `backtest takes no settings; ${input.settingsFlags[0]} is one`);
  }
  const models = chosenModels(options);
  const outputs = [options.json, options.html].filter((path) => path !== undefined);
  for (const path of outputs) assertWritable(path);
  assertApart(options.file, outputs);
  const file = await readSeriesFile(options.file);
  const subject = { ...file, file: basename(options.file) };
  await interruptible(async (signal) => {
    const progress = progressBar(options.quiet);
    try {
      const run = options.online ? onlineRun : originRun;
      await run({ input, options, subject, models, signal, progress });
    } finally {
      progress.stop();
    }
  });
}

interface Run {
  readonly input: CommandInput;
  readonly options: BacktestOptions;
  readonly subject: BacktestSubject;
  readonly models: readonly string[];
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** The default comes first, being what is looked for; then the others in the order they were named. */
function chosenModels({ models, withDefault, online }: BacktestOptions): readonly string[] {
  const known = modelNames();
  const named = models ?? (online ? onlineModelNames() : known);
  for (const name of named) modelNamed(name);
  const asked = withDefault || models?.includes(DEFAULT_MODEL) === true;
  const ours = asked && known.includes(online ? ONLINE_MODEL : DEFAULT_MODEL) ? [DEFAULT_MODEL] : [];
  return [...ours, ...named.filter((name) => name !== DEFAULT_MODEL)];
}

async function originRun(run: Run): Promise<void> {
  const { input, options, subject, progress } = run;
  const plan = planFor(subject.series, options.wishes);
  tell(run, [...subjectLines(subject), planLine(plan)]);
  const reports = await runBacktest(jobOf(run), plan);
  progress.stop();
  input.out(`\n${backtestTables(reports, plan, subject.series.stepMs)}`);
  for (const line of failureLines(reports, plan.origins.length)) input.err(`warning: ${line}\n`);
  if (options.json !== undefined) write(run, options.json, asJson(backtestJson(subject, plan, reports)));
  if (options.html !== undefined) write(run, options.html, backtestPage(subject, plan, reports));
}

async function onlineRun(run: Run): Promise<void> {
  const { input, options, subject, progress } = run;
  const plan = onlinePlanFor(subject.series, options.wishes);
  tell(run, [...subjectLines(subject), onlinePlanLine(plan, subject.series.values.length)]);
  const reports = await runOnlineBacktest(jobOf(run), plan);
  progress.stop();
  input.out(`\n${onlineTable(reports)}`);
  for (const { name, result } of reports) {
    if (result.kind === 'failed')
      input.err(`warning: ${name}: left out: ${result.code}: ${result.message}\n`);
  }
  if (options.json !== undefined) write(run, options.json, asJson(onlineJson(subject, plan, reports)));
  if (options.html !== undefined) write(run, options.html, onlinePage(subject, plan, reports));
}

function jobOf({ subject, models, options, signal, progress }: Run): BacktestJob {
  const workers = options.workers ?? availableParallelism();
  const onProgress = (part: number, model: string): void => progress.update(part, model);
  return { series: subject.series, models, workers, signal, onProgress };
}

function tell({ input, options }: Run, lines: readonly string[]): void {
  if (!options.quiet) input.out(`${lines.join('\n')}\n`);
}

function asJson(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function write(run: Run, path: string, text: string): void {
  writeWhole(path, text);
  tell(run, [`written: ${path}`]);
}
