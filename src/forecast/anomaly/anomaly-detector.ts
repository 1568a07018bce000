/**
 * Flags what is odd, with a score and a reason, at no more false alarms a day than is asked for. Each kind of score is
 * set against the tail of its own block maxima; the most surprising one of a step is set against the tail of all such,
 * and an alarm is what passes the level that the usual passes only as often as the budget says.
 */
import { zeros } from '../numeric/figures';
import type { ModelState } from '../model/model';
import { badState, countIn, figuresIn, numberIn, stateIn } from '../model/state';
import { AnomalyScores, SCORE_KINDS, type ScoredStep, type ScoreKind } from './anomaly-scores';
import { PeakTails, type TailFit } from './peak-tail';
import type { SlotDeviation } from './slow-reference';

/** Why a step is odd. */
export const ANOMALY_REASONS = [
  'spike',
  'drop',
  'flatline',
  'level shift',
  'missing data',
  'unusual variance',
  'seasonal violation',
] as const;
/** One of {@link ANOMALY_REASONS}. */
export type AnomalyReason = (typeof ANOMALY_REASONS)[number];

/** Something unlike what was expected, from its first flagged step to its last. */
export interface AnomalyEvent {
  readonly startMs: number;
  /** When it ended; undefined while it lasts. */
  readonly endMs: number | undefined;
  readonly peakMs: number;
  /** How unlikely the peak is, as a part of what raises an alarm; 1 or more. */
  readonly score: number;
  readonly reason: AnomalyReason;
  /** At the peak; NaN when the value was missing. */
  readonly actual: number;
  readonly expected: number;
}

/** How anomalies are looked for. */
export interface AnomalyOptions {
  readonly stepMs: number;
  /** The season of the slow reference, steps; 0 for none. */
  readonly season: number;
  /** False alarms a day that are tolerated. */
  readonly falseAlarmsPerDay: number;
  /** Alarms closer than this are one event. */
  readonly quietMs: number;
  /** A deviation that lasts so long is taken for granted: it is a lasting change. */
  readonly adoptAfterMs: number;
  /** Events remembered. */
  readonly maxEvents: number;
}

const DAY_MS = 86_400_000;
const BLOCK_MS = 2 * 3_600_000;
const LEAST_BLOCK_STEPS = 12;
const BLOCKS_KEPT = 72;
/** Surprises count as at most so many times the level in what is usual. */
const CERTAIN = 1.6;
/** Scores that are as good as independent. */
const SCORES_AT_ONCE = 5;
/** What an alarm adds to the level, and time at the rate of the budget takes away again: their rates must agree. */
const STRICTER = 0.06;
const MOST_STRICTNESS = 3;
const LEAST_STRICTNESS = -0.3;
/** Events that the budget holds back for a bad time, at most: over long there never are more than it allows. */
const MOST_IN_STORE = 5;
/** What an alarm adds to the level of its own kind of score, and in what time half of it is gone. */
const OWN_STRICTER = 0.5;
const OWN_HALF_LIFE_MS = 5 * DAY_MS;

const fit = (priorSlope: number): TailFit => ({
  priorSlope,
  priorWeight: 4,
  leastSlope: priorSlope / 2,
});
const TAIL_FITS: Readonly<Record<ScoreKind, TailFit>> = {
  spike: fit(0.6),
  drop: fit(0.6),
  rise: fit(0.6),
  fall: fit(0.6),
  surge: fit(0.6),
  sag: fit(0.6),
  variance: fit(0.15),
  calm: fit(0.15),
  flatline: fit(1.6),
  high: fit(0.1),
  low: fit(0.1),
};

const FITS: readonly TailFit[] = SCORE_KINDS.map((kind) => TAIL_FITS[kind]);
const TAIL_NAMES = SCORE_KINDS.map((kind) => `tail ${kind}`);

/** What a step came to. */
export interface DetectedStep {
  /** The event that this step belongs to. */
  readonly event: AnomalyEvent | undefined;
  /** Whether the event began with this step. */
  readonly began: boolean;
  /** Whether the event has become a lasting change with this step. */
  readonly adopted: boolean;
}

const NOTHING: DetectedStep = { event: undefined, began: false, adopted: false };

/** See the file's head. */
export class AnomalyDetector {
  private readonly scores: AnomalyScores;
  private readonly tails: PeakTails;
  private readonly falseAlarmsPerStep: number;
  /** The logarithm of what alarms of late multiply the level by. */
  private strictness = 0;
  /** Events that may begin now. */
  private inStore = MOST_IN_STORE;
  private readonly ownStrictness: number[];
  private readonly ownFade: number;
  private events: AnomalyEvent[] = [];
  private slot: SlotDeviation | undefined;
  private open = false;
  /** The kinds of score that took part in the event, a bit each. */
  private raised = 0;
  private lastAlarmMs = 0;
  private adoptedUntilMs = 0;
  private missingRun = 0;
  private longestMissing = 3;

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  constructor(
    private readonly options: AnomalyOptions,
    state?: ModelState,
  ) {
    const { stepMs, season } = options;
    const blockSteps = Math.max(LEAST_BLOCK_STEPS, Math.round(BLOCK_MS / stepMs));
    const blockProbability = Math.min(0.5, (options.falseAlarmsPerDay * blockSteps * stepMs) / DAY_MS);
    this.falseAlarmsPerStep = (options.falseAlarmsPerDay * stepMs) / DAY_MS;
    const seasonal = season >= 48;
    const slotSteps = seasonal ? Math.floor(season / 48) : Math.max(6, Math.round(1_800_000 / stepMs));
    this.scores = new AnomalyScores(DAY_MS / stepMs, slotSteps, seasonal, state && stateIn(state, 'scores'));
    this.tails = new PeakTails(
      blockSteps,
      BLOCKS_KEPT,
      blockProbability / SCORES_AT_ONCE,
      FITS,
      state && TAIL_NAMES.map((name) => stateIn(state, name)),
    );
    this.ownFade = Math.pow(0.5, stepMs / OWN_HALF_LIFE_MS);
    this.ownStrictness = state
      ? [...figuresIn(state, 'ownStrictness', SCORE_KINDS.length)]
      : zeros(SCORE_KINDS.length);
    if (state !== undefined) this.read(state);
  }

  /** Whether an event lasts. */
  get active(): boolean {
    return this.open;
  }

  /** Events, newest last. */
  recent(): readonly AnomalyEvent[] {
    return this.events;
  }

  /** The last error in sizes that are usual over days; NaN when the value was missing. */
  get sizedError(): number {
    return this.scores.sized;
  }

  /** How the slot did that ended with the last step. */
  get endedSlot(): SlotDeviation | undefined {
    return this.slot;
  }

  /** Takes a step. */
  observe(atMs: number, scored: ScoredStep): DetectedStep {
    const slot = this.scores.observe(scored);
    this.slot = slot;
    const { figures } = this.scores;
    const fade = STRICTER * this.falseAlarmsPerStep;
    this.inStore = Math.min(MOST_IN_STORE, this.inStore + this.falseAlarmsPerStep);
    this.strictness = Math.max(LEAST_STRICTNESS, this.strictness - fade);
    let score = 0;
    let kind = 0;
    for (let index = 0; index < SCORE_KINDS.length; index += 1) {
      const one = this.watch(index, figures[index] ?? 0);
      if (one <= score) continue;
      score = one;
      kind = index;
    }
    if (!this.open) this.tails.endStep();
    if (this.missing(scored.actual)) return this.follow(atMs, scored, Math.max(1, score), 'missing data');
    return this.follow(atMs, scored, score, reasonOf(kind, slot));
  }

  save(): ModelState {
    const tails = TAIL_NAMES.map((name, kind) => [name, this.tails.save(kind)] as const);
    const { open, strictness, inStore, lastAlarmMs, adoptedUntilMs, missingRun, longestMissing } = this;
    return {
      scores: this.scores.save(),
      ownStrictness: Float64Array.from(this.ownStrictness),
      ...Object.fromEntries(tails),
      events: this.events.map((event) => ({ ...event })),
      open,
      strictness,
      inStore,
      lastAlarmMs,
      raised: this.raised,
      adoptedUntilMs,
      missingRun,
      longestMissing,
    };
  }

  /** How far a score is on the way to an alarm; 1 is one. The usual is learnt from it, from what is odd its bound. */
  private watch(index: number, figure: number): number {
    const { tails } = this;
    const own = this.ownStrictness[index]! * this.ownFade;
    this.ownStrictness[index] = own;
    const base = tails.base(index);
    const way = (tails.level(index) - base) * Math.exp(own + this.strictness);
    const score = (figure - base) / way;
    if (score >= 1 && tails.ready) this.raised |= 1 << index;
    if (!this.open) tails.observe(index, Math.min(figure, base + CERTAIN * way));
    return tails.ready ? Math.max(0, score) : 0;
  }

  private follow(atMs: number, scored: ScoredStep, score: number, reason: AnomalyReason): DetectedStep {
    const last = this.events.at(-1);
    const alarm = score >= (this.open ? 0.7 : 1);
    if (alarm && atMs < this.adoptedUntilMs && reason !== 'missing data') {
      this.adoptedUntilMs = Math.max(this.adoptedUntilMs, atMs + this.options.quietMs);
      return NOTHING;
    }
    const began = !this.open || last === undefined;
    if (alarm && (!began || this.inStore >= 1)) {
      this.lastAlarmMs = atMs;
      const event = began ? begun(atMs, scored, score, reason) : continued(last, atMs, scored, score, reason);
      if (began) this.events.push(event);
      if (began) this.spend();
      else this.events[this.events.length - 1] = event;
      this.events.splice(0, this.events.length - this.options.maxEvents);
      this.open = true;
      if (atMs - event.startMs >= this.options.adoptAfterMs) return this.adopt(atMs, event);
      return { event, began, adopted: false };
    }
    if (began) {
      this.raised = 0;
      return NOTHING;
    }
    if (atMs - this.lastAlarmMs >= this.options.quietMs) {
      this.close();
      this.events[this.events.length - 1] = { ...last, endMs: this.lastAlarmMs + this.options.stepMs };
      return NOTHING;
    }
    return { event: last, began: false, adopted: false };
  }

  /** Takes what an event costs of the budget. */
  private spend(): void {
    this.strictness = Math.min(MOST_STRICTNESS, this.strictness + STRICTER);
    this.inStore -= 1;
  }

  /** Makes the kinds of score that took part in an event stricter for a while. */
  private close(): void {
    this.open = false;
    this.ownStrictness.forEach((own, index) => {
      if ((this.raised & (1 << index)) === 0) return;
      this.ownStrictness[index] = Math.min(MOST_STRICTNESS, own + OWN_STRICTER);
    });
    this.raised = 0;
  }

  private adopt(atMs: number, event: AnomalyEvent): DetectedStep {
    const ended = { ...event, endMs: atMs + this.options.stepMs };
    this.events[this.events.length - 1] = ended;
    this.close();
    this.adoptedUntilMs = atMs + this.options.quietMs;
    this.scores.reference.adopt();
    return { event: ended, began: false, adopted: true };
  }

  /** Whether values have been missing for longer than they used to. */
  private missing(actual: number): boolean {
    if (!Number.isFinite(actual)) {
      this.missingRun += 1;
      return this.missingRun > 2 * this.longestMissing;
    }
    this.longestMissing = Math.max(this.longestMissing, Math.min(this.missingRun, 1_000));
    this.missingRun = 0;
    return false;
  }

  private read(state: ModelState): void {
    const { events, open } = state;
    if (!Array.isArray(events) || typeof open !== 'boolean') throw badState('anomalies are missing');
    this.events = (events as AnomalyEvent[]).slice(-this.options.maxEvents);
    this.open = open && this.events.length > 0;
    this.strictness = numberIn(state, 'strictness');
    this.inStore = Math.min(MOST_IN_STORE, numberIn(state, 'inStore'));
    this.raised = countIn(state, 'raised');
    this.lastAlarmMs = numberIn(state, 'lastAlarmMs');
    this.adoptedUntilMs = numberIn(state, 'adoptedUntilMs');
    this.missingRun = countIn(state, 'missingRun');
    this.longestMissing = countIn(state, 'longestMissing', 1);
  }
}

function begun(atMs: number, scored: ScoredStep, score: number, reason: AnomalyReason): AnomalyEvent {
  const { actual, expected } = scored;
  return { startMs: atMs, endMs: undefined, peakMs: atMs, score, reason, actual, expected };
}

function continued(
  event: AnomalyEvent,
  atMs: number,
  scored: ScoredStep,
  score: number,
  reason: AnomalyReason,
): AnomalyEvent {
  if (score <= event.score) return event;
  return { ...begun(atMs, scored, score, reason), startMs: event.startMs };
}

function reasonOf(kind: number, slot: SlotDeviation | undefined): AnomalyReason {
  switch (SCORE_KINDS[kind]) {
    case 'drop':
    case 'low':
      return 'drop';
    case 'surge':
    case 'sag':
      return 'level shift';
    case 'rise':
    case 'fall': {
      const lasting = slot !== undefined && Math.abs(slot.long) > Math.abs(slot.short);
      return lasting ? 'level shift' : 'seasonal violation';
    }
    case 'variance':
    case 'calm':
      return 'unusual variance';
    case 'flatline':
      return 'flatline';
    default:
      return 'spike';
  }
}
