/** How services are, from the signals of their instances. */
import type { Settings } from '../../config/settings-shape';
import type { ServiceHealth } from '../../core/control';
import type { History } from '../../history/history';
import { newestLevel } from '../newest-level';

const KEPT_MS = 5_000;
/** Instances of all services that are looked at. */
const MAX_INSTANCES = 2_000;

type Names = Settings['pools']['signals'];

/** See the file's head. */
export class ServiceHealths {
  private untilMs = -Infinity;
  private kept = new Map<string, ServiceHealth>();

  constructor(
    private readonly history: Pick<History, 'classes' | 'series'>,
    private readonly names: Names,
  ) {}

  /** Each service that has signals; looked at anew every few seconds. */
  of(services: ReadonlySet<string>, nowMs: number): readonly ServiceHealth[] {
    if (nowMs >= this.untilMs || nowMs < this.untilMs - KEPT_MS) {
      this.kept = this.look(nowMs);
      this.untilMs = nowMs + KEPT_MS;
    }
    return [...this.kept.values()].filter(({ service }) => services.has(service));
  }

  private look(nowMs: number): Map<string, ServiceHealth> {
    const values = new Map<string, Map<string, number[]>>();
    const signals = this.history.classes().filter(({ kind, ended }) => kind === 'signal' && !ended);
    for (const { id } of signals.slice(0, MAX_INSTANCES)) {
      const { service, name } = partsOf(id);
      const value = newestLevel(this.history, id, nowMs);
      if (value === undefined) continue;
      const ofService = values.get(service) ?? new Map<string, number[]>();
      values.set(service, ofService.set(name, [...(ofService.get(name) ?? []), value]));
    }
    const { cpu, memory, errors, latency } = this.names;
    return new Map(
      [...values].map(([service, byName]) => [
        service,
        {
          service,
          cpu: mean(byName.get(cpu)),
          memory: mean(byName.get(memory)),
          errorShare: mean(byName.get(errors)),
          latencyMs: mean(byName.get(latency)),
        },
      ]),
    );
  }
}

/** `signal:<service>/<instance>/<name>`; an instance may hold slashes. */
function partsOf(id: string): { service: string; name: string } {
  const path = id.slice('signal:'.length);
  return { service: path.slice(0, path.indexOf('/')), name: path.slice(path.lastIndexOf('/') + 1) };
}

function mean(values: readonly number[] | undefined): number {
  if (values === undefined || values.length === 0) return NaN;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
