/** The options of `tidegate backtest`: read, and refused with what was expected. */
import { TidegateError } from '../core/errors';
import { ORIGINS_MAX, type OriginRange, type PlanWishes } from '../forecast/backtest/plan';
import { readOptions } from './arguments';

/** What a backtest is told to do. */
export interface BacktestOptions {
  readonly file: string;
  readonly wishes: PlanWishes;
  /** Undefined for all. */
  readonly models: readonly string[] | undefined;
  readonly withDefault: boolean;
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly online: boolean;
  /** Undefined for one a core. */
  readonly workers: number | undefined;
  readonly quiet: boolean;
}

const OPTIONS = {
  train: { type: 'string' },
  season: { type: 'string' },
  origins: { type: 'string' },
  horizons: { type: 'string' },
  models: { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
  seed: { type: 'string' },
  workers: { type: 'string' },
  online: { type: 'boolean' },
  quiet: { type: 'boolean' },
  'no-default': { type: 'boolean' },
} as const;

/** Steps, of a season or a horizon, at most. */
const STEPS_MAX = 100_000;
/** Seasons, horizons or models in one list. */
const LIST_MAX = 32;
const WORKERS_MAX = 64;
const SEED_MAX = 0xffff_ffff;

/** @throws TidegateError TG_USAGE. */
export function backtestOptions(rest: readonly string[]): BacktestOptions {
  const { values, positionals } = readOptions(rest, OPTIONS, true);
  const [file, ...more] = positionals;
  if (file === undefined) throw usage('backtest needs the path of a file with columns timestamp,value');
  if (more.length > 0) throw usage(`backtest takes one file; '${more[0]}' is another`);
  if (values.online === true && (values.origins !== undefined || values.horizons !== undefined)) {
    throw usage('--online forecasts one step ahead of every step: it takes no --origins and no --horizons');
  }
  const train = given(values.train, (text) => whole('--train', text, 2, Number.MAX_SAFE_INTEGER));
  const seasons = given(values.season, (text) => (text === 'none' ? [] : wholes('--season', text, 2)));
  const origins = given(values.origins, originRange);
  const horizons = given(values.horizons, (text) => wholes('--horizons', text, 1));
  const seed = given(values.seed, (text) => whole('--seed', text, 0, SEED_MAX));
  return {
    file,
    wishes: {
      ...(train === undefined ? {} : { train }),
      ...(seasons === undefined ? {} : { seasons }),
      ...(origins === undefined ? {} : { origins }),
      ...(horizons === undefined ? {} : { horizons }),
      ...(seed === undefined ? {} : { seed }),
    },
    models: given(values.models, (text) => list('--models', text)),
    withDefault: values['no-default'] !== true,
    json: values.json,
    html: values.html,
    online: values.online === true,
    workers: given(values.workers, (text) => whole('--workers', text, 0, WORKERS_MAX)),
    quiet: values.quiet === true,
  };
}

function given<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

function usage(message: string, remedy?: string): TidegateError {
  return new TidegateError('TG_USAGE', message, remedy === undefined ? {} : { remedy });
}

function whole(flag: string, text: string, least: number, most: number): number {
  const figure = /^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN;
  if (figure >= least && figure <= most) return figure;
  throw usage(`${flag} takes a whole number from ${least} to ${most}, not '${text}'`);
}

function list(flag: string, text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.includes('') || parts.length > LIST_MAX) {
    throw usage(`${flag} takes 1 to ${LIST_MAX} figures or names with commas between, not '${text}'`);
  }
  return [...new Set(parts)];
}

function wholes(flag: string, text: string, least: number): readonly number[] {
  return list(flag, text).map((part) => whole(flag, part, least, STEPS_MAX));
}

function originRange(text: string): OriginRange {
  const parts = text.split(':');
  if (parts.length !== 3) {
    throw usage(`--origins takes FIRST:STEP:COUNT, not '${text}'`, 'write for example --origins 4032:77:27');
  }
  const [first = '', step = '', count = ''] = parts;
  return {
    first: whole('--origins FIRST', first, 1, Number.MAX_SAFE_INTEGER),
    step: whole('--origins STEP', step, 1, STEPS_MAX),
    count: whole('--origins COUNT', count, 1, ORIGINS_MAX),
  };
}
