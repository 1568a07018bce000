/**
 * Counts and forecasts of classes as OpenTelemetry metrics, sent over OTLP and HTTP. The packages are loaded when this is
 * started and not before; no global meter is registered. A receiver that is down costs nothing but the metrics.
 */
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { COUNTS, type ObservationBatch } from '../core/observation';
import { TidegateError } from '../core/errors';

/** Where metrics go, how often, and how many. */
export interface OtlpMetricsOptions {
  /** The full URL, such as `http://127.0.0.1:4318/v1/metrics`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** Classes told apart at most; the others are counted together as `other`. */
  readonly classesMax: number;
  /** Told when sending fails, and (undefined) when it works again. */
  readonly onState?: (error: TidegateError | undefined) => void;
}

/** A forecast to be told. */
export interface ForecastFigure {
  readonly classId: string;
  /** How far ahead, such as `1m`. */
  readonly horizon: string;
  /** `mean`, or a bound such as `upper95`. */
  readonly bound: string;
  readonly value: number;
}

const COLUMNS = COUNTS.length;
const OTHER = 'other';

async function loadPackages() {
  const [exporter, resources, sdk] = await Promise.all([
    import('@opentelemetry/exporter-metrics-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-metrics'),
  ]);
  return { exporter, resources, sdk };
}

/** Sends metrics until it is closed. */
export class OtlpMetrics {
  private readonly totals = new Map<string, Float64Array>();
  private failing = false;
  private readonly provider;

  /** Starts sending. @param forecasts asked for at every sending; at most `classesMax` classes of them are told. */
  static async start(
    options: OtlpMetricsOptions,
    forecasts: () => Iterable<ForecastFigure>,
  ): Promise<OtlpMetrics> {
    return new OtlpMetrics(await loadPackages(), options, forecasts);
  }

  private constructor(
    packages: Awaited<ReturnType<typeof loadPackages>>,
    private readonly options: OtlpMetricsOptions,
    forecasts: () => Iterable<ForecastFigure>,
  ) {
    const { exporter, resources, sdk } = packages;
    const { endpoint, headers, intervalMs, timeoutMs, serviceName, serviceVersion, classesMax } = options;
    const otlp = new exporter.OTLPMetricExporter({
      url: endpoint,
      headers: { ...headers },
      timeoutMillis: timeoutMs,
    });
    this.provider = new sdk.MeterProvider({
      resource: resources.resourceFromAttributes({
        'service.name': serviceName,
        'service.version': serviceVersion,
      }),
      readers: [
        new sdk.PeriodicExportingMetricReader({
          exporter: this.telling(otlp),
          exportIntervalMillis: intervalMs,
          exportTimeoutMillis: Math.min(timeoutMs, intervalMs),
        }),
      ],
      views: [
        {
          instrumentName: 'tidegate.*',
          aggregationCardinalityLimit: (classesMax + 1) * 20,
        },
      ],
    });
    const meter = this.provider.getMeter('tidegate', serviceVersion);
    meter
      .createObservableCounter('tidegate.class.hits', { description: 'What was counted of each class.' })
      .addCallback((result) => {
        for (const [classId, totals] of this.totals)
          COUNTS.forEach((count, column) => result.observe(totals[column] ?? 0, { class: classId, count }));
      });
    meter
      .createObservableGauge('tidegate.class.forecast', { description: 'What is forecast for each class.' })
      .addCallback((result) => {
        const told = new Set<string>();
        for (const { classId, horizon, bound, value } of forecasts()) {
          if (!told.has(classId) && told.size >= classesMax) continue;
          told.add(classId);
          if (Number.isFinite(value)) result.observe(value, { class: classId, horizon, bound });
        }
      });
  }

  /** Counts what came. */
  add(batch: ObservationBatch): void {
    batch.classes.forEach((id, index) => {
      const totals = this.totalsOf(id);
      for (let column = 0; column < COLUMNS; column += 1) {
        const count = batch.counts[index * COLUMNS + column] ?? 0;
        if (count > 0 && Number.isFinite(count)) totals[column] = (totals[column] ?? 0) + count;
      }
    });
  }

  /** Sends what there is, now. */
  async flush(): Promise<void> {
    await this.provider.forceFlush().catch(() => undefined);
  }

  /** Sends what there is, and ends. Never rejects. */
  async close(): Promise<void> {
    await this.provider.shutdown().catch(() => undefined);
  }

  private totalsOf(id: string): Float64Array {
    const key = this.totals.has(id) || this.totals.size < this.options.classesMax ? id : OTHER;
    let totals = this.totals.get(key);
    if (totals === undefined) {
      totals = new Float64Array(COLUMNS);
      this.totals.set(key, totals);
    }
    return totals;
  }

  /** An exporter whose failures are told once, not logged each time. */
  private telling(inner: PushMetricExporter): PushMetricExporter {
    return {
      export: (metrics: ResourceMetrics, done) =>
        inner.export(metrics, (result) => {
          this.tell(result.error);
          done({ code: 0 });
        }),
      forceFlush: () => inner.forceFlush(),
      shutdown: () => inner.shutdown(),
    };
  }

  private tell(failure: Error | undefined): void {
    const { onState } = this.options;
    // A password in it is not for logs.
    const endpoint = this.options.endpoint.replace(/\/\/[^/?#]*@/, '//');
    if ((failure !== undefined) === this.failing) return;
    this.failing = failure !== undefined;
    // The message alone: the error itself may hold the request with its headers.
    onState?.(
      failure === undefined
        ? undefined
        : new TidegateError(
            'TG_SOURCE_UNAVAILABLE',
            `metrics cannot be sent to ${endpoint}: ${failure.message}`,
          ),
    );
  }
}
