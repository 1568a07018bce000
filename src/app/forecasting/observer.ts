/** Hands what the data path counted, and the host's load, to the control path: once a second, at the second's end. */
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { Settings } from '../../config/settings-shape';
import type { Clock } from '../../core/clock';
import { TidegateError } from '../../core/errors';
import type { ClassInfo, ObservationBatch } from '../../core/observation';
import type { Logger } from '../../core/ports';
import { ClassCounts } from '../../observe/class-counts';
import { ClassMap } from '../../observe/class-map';
import type { HostLoad } from '../../observe/host-load';

const STEP_MS = 1_000;

/** A name for this process in its group: new at each start. */
export function sourceName(): string {
  return `${hostname().slice(0, 64)}/${process.pid}/${randomUUID().slice(0, 8)}`;
}

/** Counts per class, by the settings. */
export function createClassCounts(settings: Settings, source: string): ClassCounts {
  const { heavyKeys, serviceKey, tenantKey, maxTenants, classes } = settings.observe;
  return new ClassCounts({
    source,
    map: new ClassMap({ classes, serviceKey, tenantKey }),
    keysPerRule: heavyKeys.perRule,
    maxKeys: heavyKeys.total,
    minKeyRatePerS: heavyKeys.minRate,
    minKeyShare: heavyKeys.minShare,
    maxTenants,
    keepMs: heavyKeys.keepMs,
    random: Math.random,
  });
}

/** What the observer stands on. */
export interface ObserverParts {
  readonly counts: ClassCounts;
  /** Absent: the host's load is not sampled. */
  readonly host?: HostLoad;
  readonly clock: Clock;
  readonly observe: (batch: ObservationBatch) => void;
  readonly logger: Logger;
}

/** See the file's head. */
export class Observer {
  private timer: NodeJS.Timeout | undefined;
  private lastAtMs = -Infinity;
  private stopped = true;

  constructor(private readonly parts: ObserverParts) {}

  start(): void {
    this.stopped = false;
    this.schedule();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.parts.host?.close();
  }

  /** Tells what was counted since the last step, and stops. */
  finish(): void {
    if (this.stopped) return;
    this.stop();
    const { clock, counts, observe } = this.parts;
    const atMs = Math.floor(clock.nowUs() / 1_000 / STEP_MS) * STEP_MS;
    // What is of a step that was told already belongs to the next.
    observe(this.named(counts.take(Math.max(atMs, this.lastAtMs + STEP_MS))));
  }

  private schedule(): void {
    if (this.stopped) return;
    const nowMs = this.parts.clock.nowUs() / 1_000;
    this.timer = setTimeout(() => void this.turn(), STEP_MS - (nowMs % STEP_MS)).unref();
  }

  private async turn(): Promise<void> {
    try {
      await this.step();
    } catch (thrown) {
      this.parts.logger.error({ error: TidegateError.from(thrown) }, 'a step of observation failed');
    }
    this.schedule();
  }

  private async step(): Promise<void> {
    const { clock, counts, host, observe } = this.parts;
    // A timer may fire a little before its time: the step that ends is the one nearest to being over.
    const atMs = Math.round(clock.nowUs() / 1_000 / STEP_MS) * STEP_MS - STEP_MS;
    if (atMs === this.lastAtMs) return;
    this.lastAtMs = atMs;
    const load = await host?.sample();
    observe(this.named(counts.take(atMs, load)));
  }

  private named(batch: ObservationBatch): ObservationBatch {
    return { ...batch, added: batch.added.map((info) => this.withCost(info)) };
  }

  private withCost(info: ClassInfo): ClassInfo {
    const cost = info.kind === 'rule' ? this.parts.counts.costOf(info.id) : undefined;
    return cost === undefined ? info : { ...info, cost };
  }
}
