/** What services are asked for, from their traces: split first, rolled inside the part, scaled to the mean that is wanted. */
import {
  DAY_MINUTES,
  MINUTE_MS,
  partMinutes,
  type FlashCrowds,
  type Scenario,
  type ScenarioPart,
  type ScenarioService,
} from './scenario';

/**
 * A part of a trace by the minute, rolled (the value at t is the part's value at t + roll, wrapping), with mean 1. Minutes
 * without a value get the one before them, leading ones the first.
 * @returns undefined when the trace is shorter than the part, or nothing is asked for in it.
 */
export function shapedPart(
  { trace, rollMinutes }: Pick<ScenarioService, 'trace' | 'rollMinutes'>,
  fromMinute: number,
  minutes: number,
): Float64Array | undefined {
  if (trace.length < fromMinute + minutes) return undefined;
  const part = withoutGaps(trace.slice(fromMinute, fromMinute + minutes));
  const mean = part.reduce((sum, value) => sum + value, 0) / minutes;
  if (!(mean > 0) || !Number.isFinite(mean)) return undefined;
  const roll = ((rollMinutes % minutes) + minutes) % minutes;
  return part.map((_, minute) => (part[(minute + roll) % minutes] ?? 0) / mean);
}

function withoutGaps(values: Float64Array): Float64Array {
  let last = values.find((value) => Number.isFinite(value)) ?? 0;
  return values.map((value) => (last = Number.isFinite(value) ? Math.max(0, value) : last));
}

/** The demand of every service over a part at load 1, by the minute, requests a second; crowds not included. */
export function partDemand(
  scenario: Pick<Scenario, 'trainDays' | 'testDays' | 'totalPerS' | 'services'>,
  part: ScenarioPart,
): readonly Float64Array[] {
  const from = part === 'train' ? 0 : partMinutes(scenario, 'train');
  const minutes = partMinutes(scenario, part);
  return scenario.services.map((service) => {
    const shape = shapedPart(service, from, minutes) ?? new Float64Array(minutes);
    return shape.map((value) => value * service.share * scenario.totalPerS);
  });
}

/** Whether a service's trace can make both parts; says in words what is amiss. */
export function traceMistake(
  service: ScenarioService,
  trainDays: number,
  testDays: number,
): string | undefined {
  const [train, test] = [trainDays, testDays].map((days) => Math.round(days * DAY_MINUTES)) as [
    number,
    number,
  ];
  const { trace } = service;
  if (trace.length < train + test) {
    const days = (trace.length / DAY_MINUTES).toFixed(2);
    return `the trace holds ${days} days; the split takes ${trainDays + testDays}`;
  }
  if (shapedPart(service, train, test) === undefined) return 'the trace asks for nothing on the test days';
  if (train > 0 && shapedPart(service, 0, train) === undefined) {
    return 'the trace asks for nothing on the train days';
  }
  return undefined;
}

/** The service that has a crowd at a time of a part, ms from its start; -1 for none. */
export function crowdedService(flash: FlashCrowds | undefined, atMs: number, services: number): number {
  if (flash === undefined) return -1;
  const sinceFirst = atMs - flash.everyMs / 2;
  if (sinceFirst < 0) return -1;
  const crowd = Math.floor(sinceFirst / flash.everyMs);
  return sinceFirst - crowd * flash.everyMs < flash.durationMs ? crowd % services : -1;
}

/** The total that there is at a time of a part, requests a second. Capacity is lost on test days. */
export function totalAt(
  { totalPerS, capacityLoss }: Pick<Scenario, 'totalPerS' | 'capacityLoss'>,
  part: ScenarioPart,
  atMs: number,
): number {
  if (capacityLoss === undefined || part === 'train') return totalPerS;
  const { fraction, atMs: fromMs, forMs } = capacityLoss;
  return atMs >= fromMs && atMs < fromMs + forMs ? totalPerS * (1 - fraction) : totalPerS;
}

/** The minute of a part that a time lies in. */
export function minuteAt(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS);
}
