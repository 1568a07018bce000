/** Reads a scenario with the traces that it names, and refuses what cannot be simulated. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TidegateError } from '../../core/errors';
import { traceMistake } from '../../simulate/demand';
import { MINUTE_MS, type Scenario, type ScenarioService } from '../../simulate/scenario';
import { readSeriesFile } from '../backtest/series-file';
import { Refusal } from '../refusal';
import type { ScenarioFile } from './scenario-schema';
import { parseScenario, type ScenarioText } from './scenario-text';

/** How far shares may be from 1 together without being told of. */
const SHARES_SLACK = 0.01;
/** Ticks of one run times services: what takes longer than a night is a slip. */
const STEPS_MAX = 1e10;

/** A scenario that was read. */
export interface ReadScenario {
  readonly scenario: Scenario;
  /** In words. */
  readonly warnings: readonly string[];
}

/**
 * @param seed in place of the scenario's.
 * @throws Refusal with every mistake; TidegateError TG_SCENARIO_INVALID when the file cannot be read.
 */
export async function readScenario(path: string, seed?: number): Promise<ReadScenario> {
  const parsed = parseScenario(await textOf(path), path);
  if (!('file' in parsed)) throw new Refusal(parsed);
  const mistakes = planMistakes(parsed);
  if (mistakes.length > 0) throw new Refusal(mistakes);
  const { file } = parsed;
  const services = await withTraces(parsed, dirname(path));
  const shares = file.services.reduce((sum, { share }) => sum + share, 0);
  const warnings =
    Math.abs(shares - 1) > SHARES_SLACK
      ? [`the shares are ${shares.toFixed(3)} together: mean demand is that part of what the loads say`]
      : [];
  const guaranteed = services.reduce((sum, { guaranteePerS }) => sum + guaranteePerS, 0);
  if (guaranteed > file.total_tps) {
    warnings.push(
      `the guarantees are ${guaranteed.toFixed(1)}/s together, more than the total: all are cut alike`,
    );
  }
  return { scenario: scenarioOf(parsed, services, seed), warnings };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    const message = `cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    throw new TidegateError('TG_SCENARIO_INVALID', message, {
      at: { file: path },
      remedy: 'give the path of a file that can be read',
      cause: thrown,
    });
  }
}

/** What is wrong with figures taken together. */
function planMistakes({ file, loadNames, place }: ScenarioText): readonly TidegateError[] {
  const found: TidegateError[] = [];
  const refuse = (key: readonly PropertyKey[], message: string): void => {
    found.push(new TidegateError('TG_SCENARIO_INVALID', message, { at: place(key) }));
  };
  if (MINUTE_MS % file.tick !== 0)
    refuse(['tick'], 'takes a whole part of a minute, such as 500ms, 1s or 5s');
  if (file.interval % file.tick !== 0) refuse(['interval'], 'takes a multiple of the tick');
  if (file.flash !== undefined && file.flash.duration > file.flash.every) {
    refuse(['flash', 'duration'], 'is longer than the time between two crowds');
  }
  const testMs = file.split.test_days * 1_440 * MINUTE_MS;
  if (file.capacity_loss !== undefined && file.capacity_loss.at >= testMs) {
    refuse(['capacity_loss', 'at'], 'lies after the test days');
  }
  if ((testMs / file.tick) * file.services.length * file.loads.length > STEPS_MAX) {
    refuse(['split', 'test_days'], `makes more than ${STEPS_MAX} ticks of services`);
  }
  if (new Set(loadNames).size < loadNames.length) refuse(['loads'], 'names a load twice');
  const names = new Set<string>();
  file.services.forEach(({ name, roll }, index) => {
    if (names.has(name)) refuse(['services', index, 'name'], `'${name}' is the name of another service too`);
    names.add(name);
    if (roll % MINUTE_MS !== 0) refuse(['services', index, 'roll'], 'takes whole minutes');
  });
  return found;
}

async function withTraces(
  { file, place }: ScenarioText,
  folder: string,
): Promise<readonly ScenarioService[]> {
  const traces = new Map<string, Float64Array>();
  const found: TidegateError[] = [];
  const services: ScenarioService[] = [];
  for (const [index, row] of file.services.entries()) {
    const refuse = (message: string): void => {
      const at = place(['services', index, 'trace']);
      found.push(new TidegateError('TG_SCENARIO_INVALID', message, { at }));
    };
    const path = resolve(folder, row.trace);
    let trace = traces.get(path);
    if (trace === undefined) {
      const { series } = await readSeriesFile(path);
      if (series.stepMs !== MINUTE_MS) {
        refuse(`the trace has a value every ${series.stepMs / 1_000} s; it takes one a minute`);
        continue;
      }
      trace = series.values;
      traces.set(path, trace);
    }
    const service = serviceOf(row, trace, file.total_tps);
    const mistake = traceMistake(service, file.split.train_days, file.split.test_days);
    if (mistake !== undefined) refuse(mistake);
    services.push(service);
  }
  if (found.length > 0) throw new Refusal(found);
  return services;
}

function serviceOf(
  row: ScenarioFile['services'][number],
  trace: Float64Array,
  totalPerS: number,
): ScenarioService {
  const { name, priority, share, guarantee } = row;
  return {
    name,
    priority,
    share,
    // A part of the total, as the share is; what cannot be one is a rate.
    guaranteePerS: guarantee <= 1 ? guarantee * totalPerS : guarantee,
    queueLimitMs: row.queue_limit,
    trace,
    rollMinutes: row.roll / MINUTE_MS,
  };
}

function scenarioOf(
  { file, loadNames }: ScenarioText,
  services: readonly ScenarioService[],
  seed: number | undefined,
): Scenario {
  const { flash, capacity_loss: loss } = file;
  return {
    seed: seed ?? file.seed,
    totalPerS: file.total_tps,
    intervalMs: file.interval,
    tickMs: file.tick,
    lendDelayMs: file.lend_delay,
    loads: file.loads.map((load, index) => ({ name: loadNames[index] ?? String(load), load })),
    flash:
      flash === undefined
        ? undefined
        : { factor: flash.factor, durationMs: flash.duration, everyMs: flash.every },
    capacityLoss:
      loss === undefined ? undefined : { fraction: loss.fraction, atMs: loss.at, forMs: loss.for },
    trainDays: file.split.train_days,
    testDays: file.split.test_days,
    lending: file.lending,
    arrivals: file.arrivals,
    services,
  };
}
