/** What history exchanges with other systems, from the settings: InfluxDB, OTLP, backfill. */
import type { Settings } from '../../config/settings-shape';
import type { ObservationBatch } from '../../core/observation';
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

/** What the control thread turns. */
export interface Exchange {
  take(batch: ObservationBatch): void;
  turn(nowMs: number): void;
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

function startBackfill(parts: ExchangeParts, source: FigureSource): BackfillRun {
  const { minutesMs, tenMinutesMs, queries } = parts.settings.history.backfill;
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
      const filled = results.filter((result) => result.filled > 0);
      if (filled.length > 0) parts.onFilled(filled.map(({ classId }) => classId));
      parts.logger.info({ backfill: results }, 'history was filled from another system');
    },
    onFailure: told(parts.logger, 'backfill'),
  });
}

async function startOtlp(parts: ExchangeParts): Promise<OtlpMetrics | undefined> {
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
      onState: told(parts.logger, 'sending metrics over OTLP'),
    },
    parts.forecasts,
  );
}

/** Begins to exchange what the settings ask for; nothing by default, which costs nothing. */
export async function startExchange(parts: ExchangeParts): Promise<Exchange> {
  const { settings, history, logger, nowMs } = parts;
  const { influx } = settings.history;
  const client = influxClient(settings);
  const writer =
    client === undefined || !influx.export
      ? undefined
      : new InfluxWriter({
          client,
          compress: influx.gzip,
          queueMax: influx.maxQueue,
          batchLines: BATCH_LINES,
          onState: told(logger, 'writing to InfluxDB'),
        });
  const prometheus = prometheusClient(settings);
  const source = backfillSource(settings, client, prometheus);
  const run = source === undefined ? undefined : startBackfill(parts, source);
  const otlp = await startOtlp(parts);
  const stepMs = STEPS_MS[influx.exportStep];
  const dueStepMs = (now: number): number => Math.floor((now - GRACE_MS) / stepMs) * stepMs - stepMs;
  let exportedMs = dueStepMs(nowMs());
  return {
    take: (batch) => otlp?.add(batch),
    turn(now) {
      run?.turn(now);
      if (writer === undefined) return;
      const dueMs = dueStepMs(now);
      // One step a turn: those of a long pause are in history, and a jump of the clock brings no flood.
      if (dueMs !== exportedMs) {
        exportedMs = dueMs;
        writer.push(historyLines(history, stepMs, dueMs));
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
