/** A pool of services that stand for themselves, without limits files or settings: what a library's caller said, checked. */
import type { MemberPolicy, PoolPolicy } from '../../core/control';
import { TidegateError } from '../../core/errors';
import { usualPolicy } from '../../control/usual-policy';
import { PRIORITIES } from '../../core/priority';
import type { AllocationOptions, AllocationService } from './allocation-types';

const POOL = 'allocation';
const NAME_MAX = 128;
const SERVICES_MAX = 10_000;
const RATE_MAX = 1e12;
const TICK_MAX_MS = 60_000;
const INTERVAL_MAX_MS = 3_600_000;
/** Buckets hold a second's worth of the configured rate, and grow to four times of it: the settings' defaults. */
const BURST_S = 1;
const MAX_CAPACITY_FACTOR = 4;
const LENDABLE = 0.9;

/** A pool's policy with the settings' defaults. @throws TidegateError TG_ALLOCATION_INVALID. */
export function allocationPolicy(options: AllocationOptions): PoolPolicy {
  const { totalPerS, intervalMs = 60_000, tickMs = 1_000, lending = true } = options;
  if (!(totalPerS > 0 && totalPerS <= RATE_MAX))
    throw invalid('totalPerS takes a rate above 0', { totalPerS });
  if (!(tickMs >= 10 && tickMs <= TICK_MAX_MS))
    throw invalid(`tickMs takes 10 to ${TICK_MAX_MS}`, { tickMs });
  if (!(intervalMs >= tickMs && intervalMs <= INTERVAL_MAX_MS && intervalMs % tickMs === 0))
    throw invalid(`intervalMs takes a multiple of tickMs up to ${INTERVAL_MAX_MS}`, { intervalMs });
  return usualPolicy({ name: POOL, totalPerS, tickMs, intervalMs, lending });
}

/** The services as members of the pool. @throws TidegateError TG_ALLOCATION_INVALID, at the first that cannot be one. */
export function allocationMembers(
  services: readonly AllocationService[],
  totalPerS: number,
): readonly MemberPolicy[] {
  if (services.length > SERVICES_MAX) throw invalid(`at most ${SERVICES_MAX} services share a total`, {});
  const names = new Set<string>();
  return services.map((service) => {
    const { name } = service;
    if (typeof name !== 'string' || name === '' || name.length > NAME_MAX)
      throw invalid(`a service's name has 1 to ${NAME_MAX} characters`, { name });
    if (names.has(name)) throw invalid('two services have one name', { name });
    names.add(name);
    return memberOf(service, totalPerS, services.length);
  });
}

function memberOf(service: AllocationService, totalPerS: number, count: number): MemberPolicy {
  const { name, priority, share, nominalPerS = (share ?? 1 / count) * totalPerS } = service;
  const { guaranteePerS = 0, minPerS = 0, maxPerS = totalPerS } = service;
  if (!PRIORITIES.includes(priority))
    throw invalid(`a priority is one of ${PRIORITIES.join(', ')}`, { name, priority });
  if (share !== undefined && !(share >= 0 && share <= 1))
    throw invalid('a share is a part of the total, 0 to 1', { name, share });
  const rates = { nominalPerS, guaranteePerS, minPerS, maxPerS };
  for (const [what, rate] of Object.entries(rates))
    if (!(rate >= 0 && rate <= RATE_MAX)) throw invalid(`${what} takes a rate from 0 on`, { name, rate });
  if (minPerS > maxPerS) throw invalid('minPerS is more than maxPerS', { name, minPerS, maxPerS });
  const nominalCapacity = Math.max(1, Math.round(nominalPerS * BURST_S));
  return {
    id: name,
    ruleId: name,
    bucketKey: name,
    service: name,
    priority,
    weight: 1,
    ...rates,
    nominalCapacity,
    minCapacity: 1,
    maxCapacity: MAX_CAPACITY_FACTOR * nominalCapacity,
    lendable: LENDABLE,
    // What the bounds do not keep from a service, the total does.
    borrowable: totalPerS / Math.max(nominalPerS, 1e-9),
    lends: true,
  };
}

function invalid(message: string, said: object): TidegateError {
  const shown = Object.entries(said).map(([key, value]: [string, unknown]) => `${key} ${show(value)}`);
  return new TidegateError('TG_ALLOCATION_INVALID', [message, ...shown].join('; '));
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, NAME_MAX);
}
