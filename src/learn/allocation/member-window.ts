/** What an observer remembers of one member: sums over the interval, and what fades over several. */
import type { MemberPolicy, MemberSeen } from '../../core/control';
import { PRIORITIES } from '../../core/priority';
import { FEATURE_MAX, SERVICE_FEATURES } from './features';

/** The part of what was remembered that is kept each tick (recent demand) and each interval (histories). */
const RECENT_KEPT = 0.9;
const HISTORY_KEPT = 0.9;
const SURPRISE_GAIN = 0.2;
/** Of the configured rate: what is far less is all alike. */
const FLOOR_PART = 0.02;
/** Denied of what was asked: less is no violation. */
const VIOLATION_PART = 0.01;
/** Calls that wait are told of to so many seconds of the configured rate. */
const BACKLOG_MAX_S = 60;

/** Follows one member. Rates are tokens a second. */
export class MemberWindow {
  private ticks = 0;
  private demand = 0;
  private squares = 0;
  private admitted = 0;
  private denied = 0;
  private queued = 0;
  private recent = NaN;
  private backlog = 0;
  private tokens = 0;
  private deniedHistory = 0;
  private violationHistory = 0;
  private surpriseMean = 0;
  private surpriseSize = 0;
  private meanPerS = 0;
  private upperPerS = 0;
  /** What was foreseen for the interval that goes on. */
  private foreseenPerS = NaN;
  /** In force. */
  ratePerS = NaN;
  capacity = NaN;

  /** Demand, admissions and denials of the interval that ended, and what is foreseen, tokens a second. */
  ended = { demandPerS: 0, admittedPerS: 0, deniedPerS: 0, meanPerS: 0, spreadPerS: 0 };

  /** Takes a tick; figures that are none count as nothing. */
  tick(policy: MemberPolicy, seen: MemberSeen | undefined, tickS: number): void {
    const demand = rate(seen?.demandPerS);
    const admitted = rate(seen?.admittedPerS);
    const denied = rate(seen?.deniedPerS);
    this.ticks += 1;
    this.demand += demand;
    this.squares += demand * demand;
    this.admitted += admitted;
    this.denied += denied;
    this.queued += rate(seen?.queuedPerS);
    this.tokens = rate(seen?.tokens);
    this.recent = Number.isNaN(this.recent) ? demand : RECENT_KEPT * this.recent + (1 - RECENT_KEPT) * demand;
    const waiting = this.backlog + (demand - admitted - denied) * tickS;
    this.backlog = Math.min(BACKLOG_MAX_S * sizeOf(policy), Math.max(0, waiting));
    const forecast = seen?.forecast;
    if (forecast !== undefined && forecast.meanPerS >= 0 && forecast.upperPerS >= forecast.meanPerS) {
      this.meanPerS = Math.min(forecast.meanPerS, Number.MAX_SAFE_INTEGER);
      this.upperPerS = Math.min(forecast.upperPerS, Number.MAX_SAFE_INTEGER);
    } else {
      this.meanPerS = this.recent;
      this.upperPerS = this.recent;
    }
  }

  /** Ends the interval: writes its features from `at` on, and begins the next. */
  end(policy: MemberPolicy, totalPerS: number, into: Float64Array, at: number): void {
    const ticks = Math.max(1, this.ticks);
    const [demand, admitted, denied] = [this.demand / ticks, this.admitted / ticks, this.denied / ticks];
    const deniedPart = demand > 0 ? Math.min(1, denied / demand) : 0;
    this.deniedHistory = HISTORY_KEPT * this.deniedHistory + (1 - HISTORY_KEPT) * deniedPart;
    const violated = deniedPart > VIOLATION_PART ? 1 : 0;
    this.violationHistory = HISTORY_KEPT * this.violationHistory + (1 - HISTORY_KEPT) * violated;
    const size = sizeOf(policy);
    const spread = this.upperPerS - this.meanPerS;
    const error = Number.isNaN(this.foreseenPerS) ? 0 : demand - this.foreseenPerS;
    const least = FLOOR_PART * size;
    const surprise = Number.isNaN(this.foreseenPerS) ? 0 : logOver(demand, this.foreseenPerS, least);
    this.surpriseMean += SURPRISE_GAIN * (surprise - this.surpriseMean);
    this.surpriseSize += SURPRISE_GAIN * (Math.abs(surprise) - this.surpriseSize);
    const rise = Number.isNaN(this.foreseenPerS) ? 0 : logOver(demand, this.ended.demandPerS, least);
    const figures = [
      demand / size,
      (Number.isNaN(this.recent) ? 0 : this.recent) / size,
      Math.sqrt(Math.max(0, this.squares / ticks - demand * demand)) / size,
      admitted / size,
      denied / size,
      this.queued / ticks / size,
      this.backlog / size,
      this.ratePerS / size,
      this.capacity / size,
      admitted / Math.max(this.ratePerS, 1e-3 * size),
      this.tokens / Math.max(this.capacity, 1),
      this.meanPerS / size,
      spread / size,
      error / size,
      surprise,
      this.surpriseMean,
      this.surpriseSize,
      logOver(this.meanPerS, demand, least),
      rise,
      spread / (this.meanPerS + least),
      this.deniedHistory,
      this.violationHistory,
      policy.nominalPerS / Math.max(totalPerS, 1e-9),
      policy.guaranteePerS / size,
      policy.weight,
      ...PRIORITIES.map((priority) => (policy.priority === priority ? 1 : 0)),
    ];
    for (let i = 0; i < SERVICE_FEATURES.length; i += 1) into[at + i] = bounded(figures[i]);
    this.ended = {
      demandPerS: demand,
      admittedPerS: admitted,
      deniedPerS: denied,
      meanPerS: this.meanPerS,
      spreadPerS: spread,
    };
    this.foreseenPerS = this.meanPerS;
    this.ticks = this.demand = this.squares = this.admitted = this.denied = this.queued = 0;
  }
}

/** The logarithm of one over the other, both raised by the least that tells. */
function logOver(one: number, other: number, least: number): number {
  return Math.log((one + least) / (other + least));
}

/** A feature inside its bounds; 0 for what is no number. */
export function bounded(figure: number | undefined): number {
  if (figure === undefined || Number.isNaN(figure)) return 0;
  return Math.min(FEATURE_MAX, Math.max(-FEATURE_MAX, figure));
}

function rate(figure: number | undefined): number {
  return figure !== undefined && figure > 0 && figure < Infinity ? figure : 0;
}

function sizeOf(policy: MemberPolicy): number {
  return policy.nominalPerS > 0 && policy.nominalPerS < Infinity ? policy.nominalPerS : 1;
}
