/** Shares a total over services, and each service's share over its members. */
import type { MemberPolicy } from '../../core/control';
import { type Claims, COLUMNS, noClaims, satisfy } from './claims';
import { claimAt, type Outlook, STEPS } from './outlook';
import { PRIORITIES } from '../../core/priority';
import { PRIORITY_WEIGHTS, priorityRank } from './priority-weights';

/** What a member brings to the table. Rates are tokens a second. */
export interface Claimant {
  readonly policy: MemberPolicy;
  /** Expected demand, and with its margin. */
  readonly demandPerS: number;
  readonly wantedPerS: number;
  /** What it may be asked for. Without it, `demandPerS` alone counts. */
  readonly outlook?: Outlook;
  /** 1, or more after repeated shortfalls. */
  readonly escalation: number;
  /** What a person ordered, inside the member's bounds; undefined for nothing. */
  readonly orderedPerS: number | undefined;
  /** Times its demand beyond what it is guaranteed, as a learned policy advises; 1 where nobody does. */
  readonly demandFactor?: number;
}

/** What was shared out. */
export interface Allocation {
  /** Rates in the order of the claimants. */
  readonly ratesPerS: Float64Array;
  /** Of each: `override`, `guarantee`, `share` or `surplus`. */
  readonly rules: readonly string[];
  /** The minima alone exceed the total, and were scaled to it. */
  readonly shortOfMinima: boolean;
}

/** What an idle member keeps of what others may not use, so that its first calls pass. */
const IDLE_PART = 0.1;
const NO_OUTLOOK: Outlook = { meanPerS: 0, sdPerS: 0 };

/**
 * Shares `totalPerS`: first over services (one of several priorities stands once for each), then over the members of each.
 * No service gets more than `maxShare` of the total where there are several, no member more than its bounds and what it may
 * borrow. The sum is the total unless all are at their caps; minima that exceed the total are scaled to it. O(N log N).
 *
 * A weight is that of the priority x the member's x its escalation x its nominal rate: among equals everyone is served the
 * same part of what it was configured for. What nobody asked for goes by nominal and wanted rate together: half of it is for
 * who comes back, half for who varies.
 */
export function allocate(totalPerS: number, claimants: readonly Claimant[], maxShare: number): Allocation {
  const claims = claimsOf(claimants, totalPerS);
  const groups = groupsOf(claimants);
  const sums = sumClaims(claims, groups);
  capServices(sums, groups, maxShare * totalPerS);
  const shares = satisfy(sums, totalPerS);
  const ratesPerS = new Float64Array(claimants.length);
  for (let g = 0; g < groups.length; g += 1) {
    const members = groups[g]?.members ?? [];
    const share = shares[g] ?? 0;
    if (members.length === 1) ratesPerS[members[0] ?? 0] = share;
    else {
      const inside = satisfy(pick(claims, members), share);
      for (const [at, member] of members.entries()) ratesPerS[member] = inside[at] ?? 0;
    }
  }
  let minima = 0;
  for (const least of claims.min) minima += least;
  return {
    ratesPerS,
    rules: claimants.map((claimant, i) => ruleOf(claimant, claims, i, ratesPerS[i] ?? 0)),
    shortOfMinima: minima > totalPerS,
  };
}

interface Group {
  readonly service: string;
  readonly members: number[];
}

function claimsOf(claimants: readonly Claimant[], totalPerS: number): Claims {
  const claims = noClaims(claimants.length);
  for (let i = 0; i < claimants.length; i += 1) {
    const claimant = claimants[i];
    if (claimant === undefined) continue;
    const { policy, escalation, orderedPerS } = claimant;
    const factor = claimant.demandFactor ?? 1;
    const demandPerS = claimant.demandPerS * factor;
    const wantedPerS = claimant.wantedPerS * factor;
    const askedPerS = Math.max(claimant.demandPerS, claimant.wantedPerS);
    const nominal = policy.nominalPerS;
    const min = policy.minPerS;
    const borrowing = Math.max(nominal * (1 + policy.borrowable), policy.guaranteePerS);
    const cap = Math.max(min, orderedPerS ?? Math.min(policy.maxPerS, borrowing, totalPerS));
    const wanted = Math.max(demandPerS, wantedPerS);
    const own = nominal * (1 - policy.lendable);
    // Each stage holds those before it, so that the stages of a group are the sums of its members'.
    const stage = (before: number, asked: number): number => {
      const most = asked >= cap ? cap : asked;
      return most > before ? most : before;
    };
    claims.min[i] = min;
    claims.cap[i] = cap;
    claims.ordered[i] = stage(min, orderedPerS ?? 0);
    claims.guarantee[i] = stage(claims.ordered[i] ?? 0, Math.min(policy.guaranteePerS, askedPerS));
    claims.keep[i] = stage(claims.guarantee[i] ?? 0, Math.min(own, Math.max(demandPerS, own * IDLE_PART)));
    let held = claims.keep[i] ?? 0;
    for (let step = 0; step < STEPS; step += 1) {
      held = stage(held, factor * claimAt(step, policy.priority, claimant.outlook ?? NO_OUTLOOK));
      const column = claims.steps[step];
      if (column !== undefined) column[i] = held;
    }
    claims.demand[i] = stage(held, demandPerS);
    claims.wanted[i] = stage(claims.demand[i] ?? 0, wanted);
    const size = nominal > 0 ? nominal : 1;
    claims.weight[i] = PRIORITY_WEIGHTS[policy.priority] * escalation * policy.weight * size;
    claims.spareWeight[i] = policy.weight * (size + (claims.wanted[i] ?? 0));
  }
  return claims;
}

/** Members of one service and priority, the most important priorities first. */
function groupsOf(claimants: readonly Claimant[]): Group[] {
  const ranks = PRIORITIES.map(() => new Map<string, Group>());
  for (let i = 0; i < claimants.length; i += 1) {
    const claimant = claimants[i];
    if (claimant === undefined) continue;
    const { priority, service } = claimant.policy;
    const groups = ranks[priorityRank(priority)];
    const group = groups?.get(service);
    if (group === undefined) groups?.set(service, { service, members: [i] });
    else group.members.push(i);
  }
  return ranks.flatMap((groups) => [...groups.values()]);
}

function sumClaims(claims: Claims, groups: readonly Group[]): Claims {
  const sums = noClaims(groups.length);
  for (const [from, to] of columnPairs(claims, sums)) {
    for (let g = 0; g < groups.length; g += 1) {
      let sum = 0;
      for (const member of groups[g]?.members ?? []) sum += from[member] ?? 0;
      to[g] = sum;
    }
  }
  return sums;
}

function pick(claims: Claims, members: readonly number[]): Claims {
  const picked = noClaims(members.length);
  for (const [from, to] of columnPairs(claims, picked)) {
    for (const [at, member] of members.entries()) to[at] = from[member] ?? 0;
  }
  return picked;
}

/** The same columns of two claims. */
function columnPairs(from: Claims, to: Claims): [Float64Array, Float64Array][] {
  const steps = from.steps.map((step, at): [Float64Array, Float64Array] => [step, to.steps[at] ?? step]);
  return [...COLUMNS.map((name): [Float64Array, Float64Array] => [from[name], to[name]]), ...steps];
}

/** Lowers the caps of services over their share of the total: what it leaves goes to their important groups first. */
function capServices(sums: Claims, groups: readonly Group[], mostPerS: number): void {
  const capOf = new Map<string, number>();
  for (let g = 0; g < groups.length; g += 1) {
    const service = groups[g]?.service ?? '';
    capOf.set(service, (capOf.get(service) ?? 0) + (sums.cap[g] ?? 0));
  }
  if (capOf.size < 2) return;
  const at = (column: Float64Array, g: number) => column[g] ?? 0;
  for (const [service, cap] of capOf) {
    if (cap <= mostPerS) continue;
    const own = groups.flatMap((group, g) => (group.service === service ? [g] : []));
    let left = mostPerS;
    const given = own.map((g) => at(sums.min, g));
    for (const least of given) left -= least;
    for (const asked of [sums.ordered, sums.guarantee, sums.wanted, sums.cap]) {
      for (const [o, g] of own.entries()) {
        const more = Math.max(0, Math.min(left, Math.min(at(asked, g), at(sums.cap, g)) - (given[o] ?? 0)));
        given[o] = (given[o] ?? 0) + more;
        left -= more;
      }
    }
    for (const [o, g] of own.entries()) sums.cap[g] = given[o] ?? 0;
  }
}

function ruleOf(claimant: Claimant, claims: Claims, i: number, ratePerS: number): string {
  if (claimant.orderedPerS !== undefined) return 'override';
  const slack = 1e-9 * ratePerS;
  if (ratePerS > (claims.wanted[i] ?? 0) + slack) return 'surplus';
  const { guaranteePerS } = claimant.policy;
  return guaranteePerS > 0 && ratePerS <= guaranteePerS + slack ? 'guarantee' : 'share';
}
