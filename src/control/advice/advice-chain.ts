/** Who decides for a pool: learned advice, the solver with forecasts, the solver with what it saw last, or the configured shares. */
import { Elapsed } from '../elapsed';

/** The levels, the best first. `forecast` and `last` are the solver with and without forecasts. */
export const ADVICE_LEVELS = ['ppo', 'forecast', 'last', 'configured'] as const;
/** One of {@link ADVICE_LEVELS}. */
export type AdviceLevel = (typeof ADVICE_LEVELS)[number];

/** Why a level cannot act. */
export const BAR_REASONS = [
  'mode',
  'no_model',
  'no_advice',
  'late',
  'slow',
  'insane',
  'out_of_range',
  'anomaly',
  'drift',
  'unwatched',
  'regret',
  'no_forecast',
  'no_telemetry',
  'fault',
] as const;
/** One of {@link BAR_REASONS}. */
export type BarReason = (typeof BAR_REASONS)[number];

/** Something that keeps a level from acting at this tick. */
export interface Bar {
  readonly reason: BarReason;
  /** In words, for people. */
  readonly why: string;
  /** A fault asks for a calm time before the level acts again; that somebody has not allowed it does not. */
  readonly fault: boolean;
}

/** What keeps each level from acting; the configured shares can always act. */
export type Bars = Readonly<Partial<Record<Exclude<AdviceLevel, 'configured'>, Bar | undefined>>>;

/** A change of level. */
export interface LevelSwitch {
  readonly atMs: number;
  readonly from: AdviceLevel;
  readonly to: AdviceLevel;
  /** `calm` for a switch up. */
  readonly reason: BarReason | 'calm';
  readonly why: string;
}

/** Who acts now, and what keeps the next better level from it: empty where the best one acts. */
export interface ChainState {
  readonly level: AdviceLevel;
  readonly why: string;
  /** Set where this look changed the level. */
  readonly switched: LevelSwitch | undefined;
}

/** One look counts for at most so much calm, ms: a clock's leap is none. */
const MAX_LOOK_MS = 60_000;

/**
 * A chain of fallbacks. A level acts when neither it nor any level below it is barred, so that learned advice never stands on
 * forecasts that are stale. A switch down takes effect at the look that sees its cause; a level that had a fault acts again only
 * after `calmMs` without one, so that nothing flaps. The solver's own return from the configured shares has its own calm
 * ({@link FallbackSwitch}), and is followed.
 */
export class AdviceChain {
  readonly #calmMs: number;
  readonly #elapsed = new Elapsed(MAX_LOOK_MS);
  readonly #faultAtMs: Record<'ppo' | 'forecast', number> = { ppo: -Infinity, forecast: -Infinity };
  #level: AdviceLevel | undefined;

  /** @param calmMs how long a level has to be without faults before it acts again. */
  constructor(calmMs: number) {
    this.#calmMs = Math.max(0, calmMs);
  }

  /** Who acted at the last look. */
  get level(): AdviceLevel {
    return this.#level ?? 'configured';
  }

  /** Takes what bars the levels at this tick. The first look may begin at any level. */
  look(nowMs: number, bars: Bars): ChainState {
    this.#elapsed.look(nowMs);
    const before = this.#level;
    const [level, bar] = this.#climb(bars);
    this.#level = level;
    const why = bar?.why ?? '';
    if (before === undefined || before === level) return { level, why, switched: undefined };
    const down = ADVICE_LEVELS.indexOf(level) > ADVICE_LEVELS.indexOf(before);
    const switched: LevelSwitch = {
      atMs: nowMs,
      from: before,
      to: level,
      reason: down ? (bar?.reason ?? 'fault') : 'calm',
      why: down ? why : 'nothing has barred it for the calm time',
    };
    return { level, why, switched };
  }

  /** From the bottom up to the first bar. */
  #climb(bars: Bars): [AdviceLevel, Bar | undefined] {
    if (bars.last !== undefined) {
      this.#fault('forecast');
      this.#fault('ppo');
      return ['configured', bars.last];
    }
    if (bars.forecast?.fault === true) this.#fault('forecast');
    if (bars.forecast?.fault === true || bars.ppo?.fault === true) this.#fault('ppo');
    const forecast = bars.forecast ?? this.#waits('forecast');
    if (forecast !== undefined) return ['last', forecast];
    const ppo = bars.ppo ?? this.#waits('ppo');
    return ppo === undefined ? ['ppo', undefined] : ['forecast', ppo];
  }

  #fault(level: 'ppo' | 'forecast'): void {
    this.#faultAtMs[level] = this.#elapsed.totalMs;
  }

  #waits(level: 'ppo' | 'forecast'): Bar | undefined {
    const calmMs = this.#elapsed.totalMs - this.#faultAtMs[level];
    if (calmMs >= this.#calmMs || this.#level === level || (level === 'forecast' && this.#level === 'ppo'))
      return undefined;
    return { reason: 'fault', why: `without a fault for ${calmMs} of ${this.#calmMs} ms`, fault: false };
  }
}
