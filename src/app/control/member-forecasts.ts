/** The next minute's demand of members, kept for a while: forecasts change once a minute, ticks come many times in it. */
import type { MemberForecast } from '../../core/control';
import type { Prediction } from '../../core/forecasts';

interface Kept {
  readonly forecast: MemberForecast | undefined;
  readonly untilMs: number;
}

const KEPT_MS = 5_000;
/** Forecasts that are asked for at one tick, at most: those of a follower may be made on the spot. */
const ASKED_A_TICK = 500;
const MAX_KEPT = 100_000;
const STALE = 'stale';
const ANOMALY = 'anomaly';
const MINUTE_MS = 60_000;

/** See the file's head. */
export class MemberForecasts {
  private readonly kept = new Map<string, Kept>();
  private asked = 0;

  /** @param predict the forecast of a class's next minute with its 80 % interval; it may throw. */
  constructor(private readonly predict: (classId: string) => Prediction | undefined) {}

  /** A tick begins. */
  begin(): void {
    this.asked = 0;
  }

  /** What is foreseen of a class; undefined where nothing is. */
  of(classId: string, nowMs: number): MemberForecast | undefined {
    const kept = this.kept.get(classId);
    if (kept !== undefined && nowMs < kept.untilMs && nowMs > kept.untilMs - 2 * KEPT_MS)
      return kept.forecast;
    if (this.asked >= ASKED_A_TICK) return kept?.forecast;
    this.asked += 1;
    const forecast = this.ask(classId, nowMs);
    if (this.kept.size >= MAX_KEPT) this.kept.clear();
    this.kept.set(classId, { forecast, untilMs: nowMs + KEPT_MS });
    return forecast;
  }

  private ask(classId: string, nowMs: number): MemberForecast | undefined {
    let prediction: Prediction | undefined;
    try {
      prediction = this.predict(classId);
    } catch {
      // A class that is not known yet has no forecast.
      return undefined;
    }
    if (prediction === undefined || prediction.source === 'none' || prediction.flags.includes(STALE))
      return undefined;
    const step = prediction.steps.find(({ atMs }) => atMs + MINUTE_MS > nowMs) ?? prediction.steps.at(-1);
    if (step === undefined) return undefined;
    return {
      madeAtMs: prediction.madeAtMs,
      meanPerS: step.mean,
      upperPerS: step.upper,
      anomalous: prediction.flags.includes(ANOMALY),
    };
  }
}
