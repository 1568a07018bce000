/** What history exchanges with other systems, from the settings: InfluxDB, OTLP, backfill. */
import type { Settings } from '../../config/settings-shape';
import type { ObservationBatch } from '../../core/observation';
import type { ForecastStatus } from '../../core/forecast-desk';
import type { Logger } from '../../core/ports';
import type { TidegateError } from '../../core/errors';
import { influxSource, prometheusSource, type FigureSource } from '../../history/backfill';
import { BackfillRun } from '../../history/backfill-run';
import type { History } from '../../history/history';
import { historyLines } from '../../history/history-lines';
import { InfluxWriter } from '../../history/influx-writer';
import { type ForecastFigure, OtlpMetrics } from '../../history/otlp-metrics';
import { authorization } from '../../remote/http-client';
import { InfluxClient } from '../../remote/influx-client';
import { PrometheusClient } from '../../remote/prometheus-client';
import { packageVersion } from '../package-info';

/** How one of the systems is. */
export type ExternalView = NonNullable<ForecastStatus['external']>[number];

/** What the control thread turns. */
export interface Exchange {
  take(batch: ObservationBatch): void;
  /** @param leads whether this process writes for its group: what all members know is written once. */
  turn(nowMs: number, leads: boolean): void;
  /** How each system is that is exchanged with. */
  views(): readonly ExternalView[];
  close(): Promise<void>;
}

/** What it is made of. */
export interface ExchangeParts {
  readonly settings: Settings;
  readonly history: History;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** The forecasts of now, for OTLP. */
  readonly forecasts: () => Iterable<ForecastFigure>;
  /** Told of classes whose past was filled. */
  readonly onFilled: (classIds: readonly string[]) => void;
}

const MAX_ANSWER_BYTES = 67_108_864;
const BATCH_LINES = 5_000;
/** After a step's end, until what was counted in it has come. */
const GRACE_MS = 5_000;
const STEPS_MS = { '10s': 10_000, '1m': 60_000, '10m': 600_000 } as const;

/** Tells the log when a system fails and when it works again, and notes how it is. */
class States {
  private readonly errors = new Map<string, TidegateError | undefined>();

  constructor(private readonly logger: Logger) {}

  told(what: string): (error: TidegateError | undefined) => void {
    this.errors.set(what, undefined);
    const tell = told(this.logger, what);
    return (error) => {
      const again = error !== undefined && this.errors.get(what)?.code === error.code;
      this.errors.set(what, error);
      // One that fails again and again as before is told of once.
      if (!again) tell(error);
    };
  }

  views(): readonly ExternalView[] {
    return [...this.errors].map(([what, error]) => ({
      what,
      error: error === undefined ? null : `${error.code}: ${error.message}`,
    }));
  }
}

function told(logger: Logger, what: string): (error: TidegateError | undefined) => void {
  return (error) => {
    if (error === undefined) logger.info({}, `${what} works again`);
    else logger.warn({ code: error.code, error: error.message, remedy: error.remedy }, `${what} failed`);
  };
}

function influxClient(settings: Settings): InfluxClient | undefined {
  const { url, version, database, org, bucket, username, password, token, timeoutMs } =
    settings.history.influx;
  if (url === '') return undefined;
  const headers = authorization({ username, password, token, scheme: 'Token' });
  const target = version === '1' ? { version: 1 as const, database } : { version: 2 as const, org, bucket };
  return new InfluxClient({ url, headers, timeoutMs, maxBytes: MAX_ANSWER_BYTES }, target);
}

function prometheusClient(settings: Settings): PrometheusClient | undefined {
  const { url, username, password, token } = settings.observe.prometheus;
  const { source, timeoutMs } = settings.history.backfill;
  if (source !== 'prometheus' || url === '') return undefined;
  const headers = authorization({ username, password, token });
  return new PrometheusClient({ url, headers, timeoutMs, maxBytes: MAX_ANSWER_BYTES });
}

function backfillSource(
  settings: Settings,
  influx: InfluxClient | undefined,
  prometheus: PrometheusClient | undefined,
): FigureSource | undefined {
  if (prometheus !== undefined) return prometheusSource(prometheus);
  return settings.history.backfill.source === 'influx' && influx !== undefined
    ? influxSource(influx)
    : undefined;
}

function startBackfill(parts: ExchangeParts, source: FigureSource, states: States): BackfillRun {
  const { minutesMs, tenMinutesMs, queries } = parts.settings.history.backfill;
  const failed = states.told('backfill');
  let failing = false;
  return new BackfillRun({
    history: parts.history,
    source,
    minutesMs,
    tenMinutesMs,
    queries: queries.map((row) => ({
      class: { id: row.class, kind: row.kind },
      figure: row.figure,
      query: row.query,
    })),
    nowMs: parts.nowMs,
    onFilled: (results) => {
      if (failing) failed(undefined);
      failing = false;
      const filled = results.filter((result) => result.filled > 0);
      if (filled.length > 0) parts.onFilled(filled.map(({ classId }) => classId));
      parts.logger.info({ backfill: results }, 'history was filled from another system');
    },
    onFailure: (error) => {
      failing = true;
      failed(error);
    },
  });
}

async function startOtlp(parts: ExchangeParts, states: States): Promise<OtlpMetrics | undefined> {
  const { enabled, endpoint, token, intervalMs, timeoutMs, maxClasses } = parts.settings.history.otlp;
  if (!enabled) return undefined;
  return OtlpMetrics.start(
    {
      endpoint: `${endpoint.replace(/\/+$/, '')}/v1/metrics`,
      headers: authorization({ token }),
      intervalMs,
      timeoutMs,
      serviceName: parts.settings.tracing.serviceName,
      serviceVersion: packageVersion(),
      classesMax: maxClasses,
      onState: states.told('sending metrics over OTLP'),
    },
    parts.forecasts,
  );
}

/** Begins to exchange what the settings ask for; nothing by default, which costs nothing. */
export async function startExchange(parts: ExchangeParts): Promise<Exchange> {
  const { settings, history, logger, nowMs } = parts;
  const { influx } = settings.history;
  const states = new States(logger);
  const client = influxClient(settings);
  const writer =
    client === undefined || !influx.export
      ? undefined
      : new InfluxWriter({
          client,
          compress: influx.gzip,
          queueMax: influx.maxQueue,
          batchLines: BATCH_LINES,
          onState: states.told('writing to InfluxDB'),
        });
  const prometheus = prometheusClient(settings);
  const source = backfillSource(settings, client, prometheus);
  const run = source === undefined ? undefined : startBackfill(parts, source, states);
  const otlp = await startOtlp(parts, states);
  const stepMs = STEPS_MS[influx.exportStep];
  const dueStepMs = (now: number): number => Math.floor((now - GRACE_MS) / stepMs) * stepMs - stepMs;
  let exportedMs = dueStepMs(nowMs());
  return {
    take: (batch) => otlp?.add(batch),
    views: () => states.views(),
    turn(now, leads) {
      run?.turn(now);
      if (writer === undefined) return;
      const dueMs = dueStepMs(now);
      // One step a turn: those of a long pause are in history, and a jump of the clock brings no flood.
      if (dueMs !== exportedMs) {
        exportedMs = dueMs;
        if (leads) writer.push(historyLines(history, stepMs, dueMs));
      }
      writer.turn(now);
    },
    async close() {
      writer?.turn(nowMs());
      await writer?.settled();
      client?.close();
      prometheus?.close();
      await run?.settled();
      await otlp?.close();
    },
  };
}
