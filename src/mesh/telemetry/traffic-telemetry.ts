/**
 * Envoy's access log service and load reporting service, as figures of routes, clusters and hosts. Everything is bounded: a
 * flood costs time in proportion to its bytes and no memory. Contents of logs are never logged.
 * Source: envoy/service/accesslog/v3/als.proto, envoy/service/load_stats/v3/lrs.proto.
 */
import type { Logger } from '../../core/ports';
import type { LoadFigures, TrafficSnapshot } from '../../core/traffic-telemetry';
import type { GrpcService } from '../xds-services';
import { AccessLogMessage } from './access-log-message';
import { loadReportAnswer } from './load-report-answer';
import { readLoadReport } from './load-report-message';
import { LoadWindow } from './load-window';
import { TelemetryStreams } from './telemetry-streams';
import { trafficFigures } from './traffic-figures';
import { TrafficWindow } from './traffic-window';

/** What it is made of. */
export interface TrafficTelemetryOptions {
  /** Rounded to whole seconds. */
  readonly windowMs: number;
  readonly maxSeries: number;
  /** Entries that are looked at in a second; more are counted only. Rows of load reports are bounded likewise. */
  readonly maxEntriesPerS: number;
  /** Milliseconds of any clock that goes forward evenly. */
  readonly nowMs: () => number;
  readonly log: Logger;
  /** Streams at once. Default 1,000. */
  readonly maxStreams?: number;
}

const ACCESS_LOGS = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
const LOAD_REPORTS = '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats';
const DEFAULT_MAX_STREAMS = 1_000;
const DEFAULT_INTERVAL_MS = 1_000;
const SLOT_MS = 1_000;
/** Of a window, whatever the rate: 64 MiB. */
const MAX_WINDOW_WORDS = 16_777_216;
/** A StreamAccessLogsResponse has no fields. */
const NOTHING = new Uint8Array(0);

/** See the file's head. */
export class TrafficTelemetry {
  readonly #options: TrafficTelemetryOptions;
  readonly #streams: TelemetryStreams;
  readonly #message = new AccessLogMessage();
  readonly #window: TrafficWindow;
  #loads: LoadWindow;
  readonly #startMs: number;
  #slot = 0;
  #takenInSlot = 0;
  #rowsInSlot = 0;
  #entries = 0;
  #dropped = 0;
  #ignored = 0;
  #other = 0;
  #reports = 0;
  #reportsOver = 0;
  #made: TrafficSnapshot | undefined;

  constructor(options: TrafficTelemetryOptions) {
    const { windowMs, maxSeries, maxEntriesPerS, nowMs, log, maxStreams = DEFAULT_MAX_STREAMS } = options;
    this.#options = options;
    this.#streams = new TelemetryStreams({ maxStreams, nowMs, log });
    const seconds = Math.max(1, Math.round(windowMs / SLOT_MS));
    // An entry with flags takes two words.
    const words = 2 * maxEntriesPerS * (seconds + 1);
    this.#window = new TrafficWindow({ seconds, maxSeries, maxWords: Math.min(words, MAX_WINDOW_WORDS) });
    this.#startMs = nowMs();
    this.#loads = new LoadWindow(windowMs, DEFAULT_INTERVAL_MS, maxSeries, this.#startMs);
  }

  /** The services to add to a gRPC server, once. */
  grpcServices(which: {
    readonly accessLogs: boolean;
    readonly loadReports: boolean;
    /** How often Envoys are to report load. */
    readonly reportIntervalMs: number;
  }): readonly GrpcService[] {
    const services: GrpcService[] = [];
    if (which.accessLogs) {
      const take = (bytes: Uint8Array): void => this.#takeLogs(bytes);
      services.push(
        this.#streams.service({ path: ACCESS_LOGS, take, answer: { bytes: NOTHING, when: 'end' } }),
      );
    }
    if (which.loadReports) {
      const { windowMs, maxSeries, nowMs } = this.#options;
      this.#loads = new LoadWindow(windowMs, which.reportIntervalMs, maxSeries, nowMs());
      const answer = { bytes: loadReportAnswer(which.reportIntervalMs), when: 'first' } as const;
      const take = (bytes: Uint8Array): void => this.#takeReport(bytes);
      services.push(this.#streams.service({ path: LOAD_REPORTS, take, answer }));
    }
    return services;
  }

  /** Ends all streams. */
  close(): void {
    this.#streams.close();
  }

  /** What was seen until the last whole second: the same object until the next one is over. */
  snapshot(): TrafficSnapshot {
    const nowMs = this.#options.nowMs();
    this.#advance(nowMs);
    this.#made ??= this.#make(this.#loads.figures(nowMs));
    return this.#made;
  }

  #make(loads: readonly LoadFigures[]): TrafficSnapshot {
    return {
      atMs: this.#startMs + this.#slot * SLOT_MS,
      ...trafficFigures(this.#window),
      loads,
      counters: {
        entries: this.#entries,
        dropped: this.#dropped,
        ignored: this.#ignored,
        other: this.#other,
        reports: this.#reports,
        reportsOver: this.#reportsOver,
        streams: this.#streams.size,
        streamsRefused: this.#streams.refused,
        malformed: this.#streams.malformed,
      },
    };
  }

  #takeLogs(bytes: Uint8Array): void {
    this.#advance(this.#options.nowMs());
    const message = this.#message;
    message.read(bytes, Math.max(0, this.#options.maxEntriesPerS - this.#takenInSlot));
    this.#takenInSlot += message.size;
    this.#entries += message.entries;
    this.#ignored += message.ignored;
    this.#dropped += message.dropped;
    for (let entry = 0; entry < message.size; entry += 1) {
      const own = this.#window.add(message, entry);
      if (own === undefined) this.#dropped += 1;
      else if (!own) this.#other += 1;
    }
  }

  #takeReport(bytes: Uint8Array): void {
    const nowMs = this.#options.nowMs();
    this.#advance(nowMs);
    const { maxSeries, maxEntriesPerS } = this.#options;
    const report = readLoadReport(bytes, Math.min(maxSeries, Math.max(0, maxEntriesPerS - this.#rowsInSlot)));
    this.#rowsInSlot += report.rows.length;
    this.#reports += 1;
    this.#reportsOver += report.over;
    for (const row of report.rows) if (!this.#loads.add(row, nowMs)) this.#reportsOver += 1;
  }

  /** Ends the seconds that are over. */
  #advance(nowMs: number): void {
    const slot = Math.floor((nowMs - this.#startMs) / SLOT_MS);
    if (slot <= this.#slot) return;
    // After a long silence the window is empty, however long it was.
    const steps = Math.min(slot - this.#slot, this.#window.seconds + 1);
    for (let step = 0; step < steps; step += 1) this.#window.advance();
    this.#slot = slot;
    this.#takenInSlot = 0;
    this.#rowsInSlot = 0;
    this.#made = undefined;
  }
}
