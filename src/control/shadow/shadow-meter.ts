/** What the proposals would have lost, against what the configured limits would have. */
import type { ShadowView } from '../../core/control-desk';
import type { Priority } from '../../core/priority';
import { LOSS_WEIGHTS } from '../loss-weights';
import { LossBins, type LossFigures } from './loss-bins';
import { signedRankDeviate } from './signed-rank';
import { VirtualBucket, type VirtualSize } from './virtual-bucket';

/** A member's last tick. */
export interface ShadowMember {
  readonly id: string;
  readonly priority: Priority;
  /** Tokens asked for since the last tick. */
  readonly demand: number;
  readonly nominal: VirtualSize;
  readonly proposed: VirtualSize;
}

/** Tokens that the proposals move. */
export interface ShadowLoan {
  readonly lender: string;
  readonly borrower: string;
  readonly tokens: number;
}

const WINDOW_MS = 3_600_000;
const BINS = 60;
/** Members beyond this many are not counted. */
const MAX_MEMBERS = 20_000;
const MAX_DEMAND = 1e9;
/** What one tick refills at most, ms, and what is taken for a tick whose length cannot be told. */
const MAX_TICK_MS = 60_000;
const UNKNOWN_TICK_MS = 1_000;
/**
 * Evidence: bins with demand, bins that differ, the deviate that only 1 in 100 reaches by chance, and the least difference that
 * matters, as a part of the larger loss.
 */
const LEAST_BINS = 15;
const LEAST_DIFFERING = 10;
const CONFIDENT = 2.326;
const LEAST_PART = 0.05;

interface Replay {
  readonly nominal: VirtualBucket;
  readonly proposed: VirtualBucket;
  /** The part of a token that demand has come to. */
  part: number;
  seenMs: number;
}

/**
 * Replays each tick's arrivals, spread evenly, through two virtual token buckets a member: one of the configured limits, one
 * of the proposals, whose tokens move with the proposals' loans. Both begin with the configured capacity's tokens.
 * Weighted loss is the sum of weight x tokens lost over the sum of weight x tokens asked for, weights 8, 4, 2 and 1.
 */
export class ShadowMeter {
  readonly #windowMs: number;
  readonly #bins: LossBins;
  readonly #replays = new Map<string, Replay>();
  #lastMs = Number.NaN;
  /** Counts real time onwards, for the window. */
  #atMs = 0;
  /** Counts at most a minute a tick, for refills. */
  #refilledUs = 0;
  #tickMs = UNKNOWN_TICK_MS;
  #sweptMs = 0;

  constructor(options: { readonly windowMs?: number } = {}) {
    this.#windowMs = Math.max(BINS, options.windowMs ?? WINDOW_MS);
    this.#bins = new LossBins(this.#windowMs, BINS);
  }

  /** A clock that steps back takes the tick for as long as the one before; what is not a demand counts as none. */
  tick(nowMs: number, members: readonly ShadowMember[], loans: readonly ShadowLoan[]): void {
    const fromUs = this.#refilledUs;
    this.#pass(nowMs);
    const sums = { demand: 0, nominalLost: 0, proposedLost: 0, wouldAdmit: 0, wouldDeny: 0 };
    for (const member of members) {
      const replay = this.#replayOf(member, fromUs);
      if (replay === undefined) continue;
      const demand = wholeDemand(replay, member.demand);
      replay.nominal.resize(member.nominal, fromUs);
      replay.proposed.resize(member.proposed, fromUs);
      const nominal = replay.nominal.serve(demand, fromUs, this.#refilledUs);
      const proposed = replay.proposed.serve(demand, fromUs, this.#refilledUs);
      const weight = LOSS_WEIGHTS[member.priority];
      sums.demand += weight * demand;
      sums.nominalLost += weight * (demand - nominal);
      sums.proposedLost += weight * (demand - proposed);
      sums.wouldAdmit += Math.max(0, proposed - nominal);
      sums.wouldDeny += Math.max(0, nominal - proposed);
    }
    this.#bins.add(sums);
    for (const loan of loans) this.#lend(loan);
    this.#sweep();
  }

  /** The window so far. Losses are null without demand. */
  view(): ShadowView {
    const { demand, nominalLost, proposedLost, wouldAdmit, wouldDeny } = this.#bins.sums();
    return {
      windowMs: this.#windowMs,
      nominalLoss: demand > 0 ? nominalLost / demand : null,
      proposedLoss: demand > 0 ? proposedLost / demand : null,
      wouldAdmit,
      wouldDeny,
    };
  }

  /**
   * Whether the proposals lose less or more with confidence: by a twentieth or more over the window, and by Wilcoxon's signed-rank test over the paired
   * losses of its bins (a sixtieth of the window each), one-sided at 1 %, with at least 15 bins that had demand and 10 that differ.
   * Undefined with less.
   */
  advice(): 'promote' | 'demote' | undefined {
    const bins = this.#bins.complete().filter(({ demand }) => demand > 0);
    const gains = bins.map(({ nominalLost, proposedLost }) => nominalLost - proposedLost);
    const differing = gains.filter((gain) => gain !== 0).length;
    if (bins.length < LEAST_BINS || differing < LEAST_DIFFERING) return undefined;
    const deviate = signedRankDeviate(gains);
    const least = LEAST_PART * Math.max(sum(bins, 'nominalLost'), sum(bins, 'proposedLost'));
    const gain = sum(bins, 'nominalLost') - sum(bins, 'proposedLost');
    if (gain >= least && deviate > CONFIDENT) return 'promote';
    return -gain >= least && deviate < -CONFIDENT ? 'demote' : undefined;
  }

  /** A member is none any more. */
  forget(id: string): void {
    this.#replays.delete(id);
  }

  #pass(nowMs: number): void {
    const passedMs = nowMs - this.#lastMs;
    if (passedMs > 0) this.#tickMs = Math.min(MAX_TICK_MS, passedMs);
    if (Number.isFinite(nowMs)) this.#lastMs = nowMs;
    this.#atMs += passedMs > 0 ? passedMs : this.#tickMs;
    this.#refilledUs += Math.floor(this.#tickMs * 1_000);
    this.#bins.goTo(this.#atMs);
  }

  #replayOf(member: ShadowMember, fromUs: number): Replay | undefined {
    const known = this.#replays.get(member.id);
    if (known !== undefined) {
      known.seenMs = this.#atMs;
      return known;
    }
    if (this.#replays.size >= MAX_MEMBERS) return undefined;
    const replay: Replay = {
      nominal: new VirtualBucket(member.nominal, fromUs),
      proposed: new VirtualBucket(member.nominal, fromUs),
      part: 0,
      seenMs: this.#atMs,
    };
    this.#replays.set(member.id, replay);
    return replay;
  }

  #lend({ lender, borrower, tokens }: ShadowLoan): void {
    const from = this.#replays.get(lender);
    const to = this.#replays.get(borrower);
    if (from === undefined || to === undefined || from === to || !(tokens >= 1)) return;
    const taken = from.proposed.take(Math.floor(Math.min(MAX_DEMAND, tokens)), this.#refilledUs);
    if (taken > 0) to.proposed.give(taken, this.#refilledUs);
  }

  /** Members not seen for a window are forgotten. */
  #sweep(): void {
    if (this.#atMs - this.#sweptMs < this.#windowMs / BINS) return;
    this.#sweptMs = this.#atMs;
    for (const [id, { seenMs }] of this.#replays) {
      if (this.#atMs - seenMs > this.#windowMs) this.#replays.delete(id);
    }
  }
}

/** Whole tokens of a demand; what is left over counts next time. */
function wholeDemand(replay: Replay, demand: number): number {
  const sum = replay.part + (demand > 0 ? Math.min(MAX_DEMAND, demand) : 0);
  const whole = Math.floor(sum);
  replay.part = sum - whole;
  return whole;
}

function sum(bins: readonly LossFigures[], name: keyof LossFigures): number {
  return bins.reduce((total, bin) => total + bin[name], 0);
}
