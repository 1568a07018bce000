/** Who lends what to whom at a tick: spare tokens to those who lack, the most important first. */
import { PRIORITIES, type Priority } from '../../core/priority';
import { priorityRank } from '../allocate/priority-weights';
import type { LendPosition } from './lend-position';
import { wholeShares } from './whole-shares';

/** A loan that is to be ordered; whole tokens. */
export interface PlannedLoan {
  readonly lender: string;
  readonly borrower: string;
  readonly tokens: number;
  /** What the lender keeps at least. */
  readonly keep: number;
  readonly why: string;
}

interface Grant {
  readonly position: LendPosition;
  tokens: number;
}

/**
 * Plans loans: each lender offers `part` of what it has over its keep; offers go to borrowers strictly by priority, within
 * a priority by weighted max-min. Offers of the least important are used first, of these the largest, which makes for few
 * transfers: at most lenders + borrowers of them. O(n log n).
 * @param weightOf what a borrower weighs among its priority, over 0.
 * @param most how many loans at most; what lacks for the least important is cut.
 */
export function planLoans(
  positions: readonly LendPosition[],
  part: number,
  weightOf: (position: LendPosition) => number,
  carry: Map<string, number>,
  most: number,
): PlannedLoan[] {
  const offers = offered(positions, part);
  let spare = offers.reduce((sum, offer) => sum + offer.tokens, 0);
  if (spare === 0) return [];
  const loans: PlannedLoan[] = [];
  let at = 0;
  for (const priority of PRIORITIES) {
    const grants = granted(positions, priority, spare, weightOf, carry);
    for (const grant of grants) {
      spare -= grant.tokens;
      while (grant.tokens > 0) {
        const offer = offers[at];
        if (offer === undefined || loans.length >= most) return loans;
        const tokens = Math.min(offer.tokens, grant.tokens);
        const { position } = offer;
        loans.push({
          lender: position.id,
          borrower: grant.position.id,
          tokens,
          keep: position.keep,
          why: grant.position.why,
        });
        offer.tokens -= tokens;
        grant.tokens -= tokens;
        if (offer.tokens === 0) at += 1;
      }
    }
  }
  return loans;
}

function offered(positions: readonly LendPosition[], part: number): Grant[] {
  const offers: Grant[] = [];
  for (const position of positions) {
    const tokens = Math.floor((position.level - position.keep) * part);
    if (tokens > 0) offers.push({ position, tokens });
  }
  return offers.sort(
    (a, b) =>
      priorityRank(b.position.member.policy.priority) - priorityRank(a.position.member.policy.priority) ||
      b.tokens - a.tokens ||
      (a.position.id < b.position.id ? -1 : 1),
  );
}

function granted(
  positions: readonly LendPosition[],
  priority: Priority,
  spare: number,
  weightOf: (position: LendPosition) => number,
  carry: Map<string, number>,
): Grant[] {
  const claimants: LendPosition[] = [];
  const claims: { id: string; want: number; weight: number }[] = [];
  for (const position of positions) {
    if (position.member.policy.priority !== priority || position.why === '') continue;
    const want = Math.min(position.lack, position.limit);
    if (want <= 0) continue;
    claimants.push(position);
    claims.push({ id: position.id, want, weight: weightOf(position) });
  }
  const shares = wholeShares(spare, claims, carry);
  return claimants.map((position, at) => ({ position, tokens: shares[at] ?? 0 }));
}
