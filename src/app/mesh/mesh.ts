/** Discovery, what Envoys tell, and traffic, put together in the control thread, behind the control port. */
import type { Settings } from '../../config/settings-shape';
import type { PoolTable } from '../../core/control';
import type { ControlEvent } from '../../core/control-desk';
import { TidegateError } from '../../core/errors';
import type { Prediction } from '../../core/forecasts';
import type { MeshAskName, MeshAsks, ShareChange } from '../../core/mesh-view';
import type { ClassInfo, ObservationBatch, SignalSample } from '../../core/observation';
import type { BucketOperator } from '../../core/pool-link';
import type { BoundAddress, Logger, Server } from '../../core/ports';
import type { TrafficSnapshot } from '../../core/traffic-telemetry';
import type { History } from '../../history/history';
import { TrafficTelemetry } from '../../mesh/telemetry/traffic-telemetry';
import { createFaultLog, type FaultLog } from '../../telemetry/fault-log';
import type { MeshFigures } from '../../telemetry/mesh-series';
import { healthMethods, rateLimitHealth } from '../../transport';
import { createOperator } from '../control/pool-links';
import { controlServer } from '../control-port';
import { systemClock } from '../system-clock';
import { BucketWatch } from './bucket-watch';
import { Discovery } from './discovery';
import { meshFigures } from './mesh-figures';
import type { TargetBucket } from './target-buckets';
import { TargetHealths } from './target-health';
import { TrafficLoop } from './traffic-loop';

/** What it stands on. */
export interface MeshParts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly history: Pick<History, 'series'>;
  /** The buckets of the serving thread. */
  readonly serving: BucketOperator;
  /** The next minute of a class; it may throw. */
  readonly predict: (classId: string) => Prediction | undefined;
  /** Keeps a figure, so that it is forecast. */
  readonly put: (sample: SignalSample, info: ClassInfo) => void;
  readonly tell: (figures: MeshFigures) => void;
  readonly event: (event: ControlEvent) => void;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** Where the port was bound before: Envoys look for it there, and what was wrong meanwhile keeps nobody from serving. */
  readonly boundPort?: number;
}

const TELL_MS = 1_000;
const GRACE_MS = 1_000;
/** Changes that are told as events in a second; the thread that serves passes them on, and `/api/v1/traffic` has more. */
const MAX_EVENTS = 200;

/** See the file's head. */
export class Mesh {
  private readonly discovery: Discovery;
  private readonly telemetry: TrafficTelemetry | undefined;
  private readonly buckets: BucketWatch;
  private readonly loop: TrafficLoop;
  private readonly operator: ReturnType<typeof createOperator>;
  private readonly faults: FaultLog;
  private readonly server: Server;
  private isServing = false;
  private eventsSinceMs = -Infinity;
  private events = 0;
  private warned: ReadonlySet<string> = new Set();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: MeshParts) {
    const { settings, logger, history, serving, predict, put, nowMs, monotonicMs } = parts;
    const { mesh } = settings;
    const { accessLogs, loadReports, reportIntervalMs, windowMs, maxSeries, maxEntriesPerS } = mesh.telemetry;
    // Unix time that goes forward evenly: holds of streams must not last as long as a clock was set back.
    const startedMs = nowMs() - monotonicMs();
    this.discovery = new Discovery(mesh, logger, () => startedMs + monotonicMs());
    this.faults = createFaultLog(logger, systemClock);
    if (accessLogs || loadReports)
      this.telemetry = new TrafficTelemetry({
        windowMs,
        maxSeries,
        maxEntriesPerS,
        nowMs: monotonicMs,
        log: logger,
      });
    this.operator = createOperator(settings, logger, serving);
    this.buckets = new BucketWatch({ operator: this.operator, predict, nowMs, monotonicMs });
    const healths = new TargetHealths({ history, names: mesh.traffic.signals, predict, put });
    this.loop = new TrafficLoop({
      settings: mesh,
      discovery: this.discovery,
      buckets: this.buckets,
      healths,
      told: () => this.telemetry?.snapshot(),
      changed: (changes) => this.changed(changes),
      logger,
      faults: this.faults,
      nowMs,
      monotonicMs,
    });
    this.server = controlServer(
      settings,
      healthMethods(rateLimitHealth(() => this.isServing)),
      [
        ...this.discovery.grpcServices(),
        ...(this.telemetry?.grpcServices({ accessLogs, loadReports, reportIntervalMs }) ?? []),
      ],
      { logger, faults: this.faults },
      parts.boundPort,
    );
  }

  /** Loads the resources, and listens. Rejects with a TidegateError. */
  async start(): Promise<BoundAddress> {
    const again = this.parts.boundPort !== undefined;
    await this.discovery.start(() => this.loop.resourcesChanged(), again);
    const address = await this.server.listen();
    this.loop.start();
    this.timer = setInterval(() => {
      this.faults.flush();
      this.warn();
      const { counts } = this.discovery;
      const told = this.telemetry?.snapshot();
      this.parts.tell(meshFigures({ counts, view: this.discovery.view() }, this.loop.groups(), told));
    }, TELL_MS);
    return address;
  }

  /** Other limits are in use. */
  useTargets(buckets: readonly TargetBucket[]): void {
    this.buckets.use(buckets);
  }

  /** Takes what a process saw in a step. */
  note(batch: ObservationBatch): void {
    this.buckets.note(batch);
  }

  /** A pool has published sizes. */
  table(table: PoolTable): void {
    this.buckets.table(table);
  }

  /** Whether the process serves, for who asks for its health. */
  serving(serving: boolean): void {
    this.isServing = serving;
  }

  /** Answers what is asked. */
  async ask(name: MeshAskName): Promise<MeshAsks[MeshAskName]['answer']> {
    switch (name) {
      case 'mesh':
        return this.discovery.view();
      case 'traffic':
        return this.loop.view();
      case 'telemetry':
        return this.told();
    }
  }

  /** What Envoys told, at Unix time. */
  private told(): TrafficSnapshot {
    if (this.telemetry === undefined)
      throw new TidegateError('TG_MESH_OFF', 'Envoys are not asked for access logs or load reports');
    const snapshot = this.telemetry.snapshot();
    const { nowMs, monotonicMs } = this.parts;
    return { ...snapshot, atMs: Math.round(nowMs() - monotonicMs() + snapshot.atMs) };
  }

  /** Ends all streams; Envoys keep what they have. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.loop.stop();
    this.discovery.close();
    this.telemetry?.close();
    await this.server.close(GRACE_MS);
    await this.operator.close?.();
    this.faults.flush();
  }

  /** Tells what is odd of the limits, each once. */
  private warn(): void {
    const warnings = this.loop.warnings();
    for (const warning of warnings)
      if (!this.warned.has(warning)) this.parts.logger.warn({ warning }, 'a target of traffic has no bucket');
    this.warned = new Set(warnings);
  }

  private changed(changes: readonly ShareChange[]): void {
    const nowMs = this.parts.monotonicMs();
    if (nowMs - this.eventsSinceMs >= TELL_MS) {
      this.eventsSinceMs = nowMs;
      this.events = 0;
    }
    const told = changes.slice(0, Math.max(0, MAX_EVENTS - this.events));
    this.events += told.length;
    for (const change of told)
      this.parts.event({ atMs: change.atMs, kind: 'traffic', pool: change.group, data: change });
  }
}
