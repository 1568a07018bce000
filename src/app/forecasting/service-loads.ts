/** What services were like of late: their demand beside the CPU use of their instances, minute by minute. */
import type { ServiceLoad } from '../../forecast/replicas';
import type { History } from '../../history/history';

const MINUTE_MS = 60_000;
const LATELY_MS = 6 * 3_600_000;
/** Instances that are looked at. */
const MAX_INSTANCES = 1_000;

/**
 * A service over the last hours, the minutes in which its demand and at least one instance were seen.
 * @param signal the name of the signal of each instance's CPU use, 0 to 1.
 */
export function serviceLoads(
  history: History,
  service: string,
  signal: string,
  nowMs: number,
): readonly ServiceLoad[] {
  const untilMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  const fromMs = untilMs - LATELY_MS;
  const demand = history.series(`service:${service}`, 'admitted', MINUTE_MS, fromMs, untilMs);
  const instances = history
    .classes()
    .filter(({ kind, id }) => kind === 'signal' && isInstance(id, service, signal))
    .slice(0, MAX_INSTANCES)
    .map(({ id }) => history.series(id, 'level', MINUTE_MS, fromMs, untilMs).values);
  return Array.from(demand.values, (hits, step): ServiceLoad => {
    const uses = instances.map((values) => values[step] ?? NaN).filter((use) => Number.isFinite(use));
    const cpu = uses.reduce((sum, use) => sum + use, 0) / uses.length;
    return { ratePerS: hits / 60, replicas: uses.length, cpu };
  }).filter(({ ratePerS, replicas }) => Number.isFinite(ratePerS) && replicas > 0);
}

/** `signal:<service>/<instance>/<name>`; an instance may hold slashes. */
function isInstance(id: string, service: string, signal: string): boolean {
  return id.startsWith(`signal:${service}/`) && id.endsWith(`/${signal}`);
}
