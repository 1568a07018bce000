/** Ways to part a total that several policies use. */
import { LOSS_WEIGHTS } from '../../control/loss-weights';
import type { ScenarioService } from '../scenario';
import type { Limits } from './policy';

/** Buckets of a limit so many a second hold a second's worth. */
const BURST_S = 1;

/** Limits with buckets of a second's worth. */
export function secondBuckets(ratesPerS: ArrayLike<number>): Limits {
  return { ratesPerS, capacities: Float64Array.from(ratesPerS, (rate) => Math.max(1, rate * BURST_S)) };
}

/** The total by the services' shares of it. */
export function proportional(services: readonly ScenarioService[], totalPerS: number): Float64Array {
  const part = ({ share, nominalShare }: ScenarioService): number => nominalShare ?? share;
  const sum = services.reduce((all, service) => all + part(service), 0);
  return Float64Array.from(services, (service) => (part(service) / sum) * totalPerS);
}

/**
 * What is wanted, the higher priority first, by parts where it is not enough for all of a priority; what is left over is
 * shared by `shares`. The sum is the total.
 */
export function byPriority(
  services: readonly ScenarioService[],
  wantedPerS: ArrayLike<number>,
  totalPerS: number,
): Float64Array {
  const rates = new Float64Array(services.length);
  let left = totalPerS;
  const weights = [...new Set(services.map(({ priority }) => LOSS_WEIGHTS[priority]))].sort((a, b) => b - a);
  for (const weight of weights) {
    const alike = services.flatMap(({ priority }, at) => (LOSS_WEIGHTS[priority] === weight ? [at] : []));
    const wanted = alike.reduce((sum, at) => sum + Math.max(0, wantedPerS[at]!), 0);
    const part = wanted > left ? left / wanted : 1;
    for (const at of alike) rates[at] = Math.max(0, wantedPerS[at]!) * part;
    left = Math.max(0, left - wanted);
  }
  const spare = proportional(services, left);
  return rates.map((rate, at) => rate + spare[at]!);
}
