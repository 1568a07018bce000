/** What claimants of one amount may, must and would like to get, and how an amount is given to them. */
import { STEPS } from './outlook';
import { total, waterFill } from './water-fill';

/** Claims, one place of each column a claimant; a rate each, none negative, all finite. */
export interface Claims {
  /** Never less, unless the minima exceed the amount. */
  readonly min: Float64Array;
  /** Never more. */
  readonly cap: Float64Array;
  /** What a person ordered; 0 for nothing. */
  readonly ordered: Float64Array;
  /** What is due before anything is shared. */
  readonly guarantee: Float64Array;
  /** What others may not use: nominal less the lendable part. */
  readonly keep: Float64Array;
  /** Ever more of what may be asked for, each step worth as much to everyone: see `outlook.ts`. */
  readonly steps: readonly Float64Array[];
  /** What is expected to be asked for. */
  readonly demand: Float64Array;
  /** Demand with its margin. */
  readonly wanted: Float64Array;
  /** Its part of what all are short of. */
  readonly weight: Float64Array;
  /** Its part of what nobody asked for. */
  readonly spareWeight: Float64Array;
}

/** The columns that are one figure a claimant. */
export const COLUMNS = [
  'min',
  'cap',
  'ordered',
  'guarantee',
  'keep',
  'demand',
  'wanted',
  'weight',
  'spareWeight',
] as const;

/** What rounding may leave of an amount, as a part of it. */
const ROUNDING = 1e-13;

/** No claims of `count` claimants. */
export function noClaims(count: number): Claims {
  const column = () => new Float64Array(count);
  return {
    min: column(),
    cap: column(),
    ordered: column(),
    guarantee: column(),
    keep: column(),
    steps: Array.from({ length: STEPS }, column),
    demand: column(),
    wanted: column(),
    weight: column(),
    spareWeight: column(),
  };
}

/**
 * Gives `amount` out, stage by stage until it is gone: minima, orders, guarantees, what is kept, the steps of what may be
 * asked for, demand, margins, the rest. The first four are due: where one exceeds what is left, what it adds is scaled. The
 * others are weighted max-min. The sum is the amount unless all are at their caps. O(N log N).
 */
export function satisfy(claims: Claims, amount: number): Float64Array {
  const { min, cap, weight } = claims;
  const least = total(min);
  if (least >= amount) {
    const part = least > 0 && amount > 0 ? amount / least : 0;
    return min.map((value) => value * Math.min(1, part));
  }
  let shares: Float64Array = min.slice();
  for (const due of [claims.ordered, claims.guarantee, claims.keep]) {
    if (raise(shares, due, cap, amount)) return shares;
  }
  // Each stage holds those before it: what is reached is all that has to be kept.
  let reached = claims.keep;
  for (const asked of [...claims.steps, claims.demand, claims.wanted]) {
    if (raisedTotal(shares, asked, cap) > amount) {
      const low = raised(shares, reached, cap);
      return waterFill(amount, low, raised(low, asked, cap), weight);
    }
    reached = asked;
  }
  shares = raised(shares, reached, cap);
  if (amount - total(shares) <= ROUNDING * amount) return shares;
  return waterFill(amount, shares, raised(shares, cap, cap), claims.spareWeight);
}

/** Shares, or what is asked for where that is more. */
function raised(shares: Float64Array, asked: Float64Array, cap: Float64Array): Float64Array {
  const most = shares.slice();
  for (let i = 0; i < most.length; i += 1) {
    most[i] = Math.max(most[i] ?? 0, Math.min(cap[i] ?? 0, asked[i] ?? 0));
  }
  return most;
}

/** The sum of {@link raised}. */
function raisedTotal(shares: Float64Array, asked: Float64Array, cap: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < shares.length; i += 1) {
    sum += Math.max(shares[i] ?? 0, Math.min(cap[i] ?? 0, asked[i] ?? 0));
  }
  return sum;
}

/** Raises shares to what is due, all in the same part where that is too much; whether nothing is left. */
function raise(shares: Float64Array, due: Float64Array, cap: Float64Array, amount: number): boolean {
  let needed = 0;
  let held = 0;
  for (let i = 0; i < shares.length; i += 1) {
    const share = shares[i] ?? 0;
    held += share;
    needed += Math.max(0, Math.min(due[i] ?? 0, cap[i] ?? 0) - share);
  }
  const left = Math.max(0, amount - held);
  const part = needed > left ? left / needed : 1;
  for (let i = 0; i < shares.length; i += 1) {
    const share = shares[i] ?? 0;
    shares[i] = share + part * Math.max(0, Math.min(due[i] ?? 0, cap[i] ?? 0) - share);
  }
  return part < 1;
}
