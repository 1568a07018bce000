/**
 * The tracer over OpenTelemetry's SDK, which this module loads when it is started and not before.
 * No global tracer is registered; only OpenTelemetry's error handler is global, and goes to the log.
 * Spans wait in a bounded queue; when it is full they are dropped, never the calls.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Span } from '@opentelemetry/api';
import type { BucketRequest, BucketResult, BucketStore } from '../core/buckets';
import { Later } from '../core/later';
import { TidegateError } from '../core/errors';
import type { CallContext, Logger, UnaryHandler } from '../core/ports';
import { describeError } from './log-fields';
import type { DescribeCall, Tracer, TracingOptions } from './tracer';

const MAX_BATCH = 512;

async function loadPackages() {
  const [api, core, exporter, resources, sdk] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-base'),
  ]);
  return { api, core, exporter, resources, sdk };
}

type Packages = Awaited<ReturnType<typeof loadPackages>>;

/** Starts tracing. @returns a tracer that exports until it is shut down. */
export async function startOpenTelemetry(options: TracingOptions, logger: Logger): Promise<Tracer> {
  const packages = await loadPackages();
  return new OpenTelemetryTracer(packages, options, logger);
}

class OpenTelemetryTracer implements Tracer {
  readonly enabled = true;
  private readonly current = new AsyncLocalStorage<Context>();
  private readonly provider;
  private readonly tracer;
  private readonly propagator;

  constructor(
    private readonly packages: Packages,
    options: TracingOptions,
    private readonly logger: Logger,
  ) {
    const { core, exporter, resources, sdk } = packages;
    const maxQueueSize = options.maxQueueSize ?? 2_048;
    const exportTimeoutMs = options.exportTimeoutMs ?? 5_000;
    const otlp = new exporter.OTLPTraceExporter({
      url: options.endpoint,
      headers: { ...options.headers },
      timeoutMillis: exportTimeoutMs,
    });
    this.provider = new sdk.BasicTracerProvider({
      resource: resources.resourceFromAttributes({
        'service.name': options.serviceName,
        'service.version': options.serviceVersion,
      }),
      sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(options.samplingRatio) }),
      spanProcessors: [
        new sdk.BatchSpanProcessor(otlp, {
          maxQueueSize,
          maxExportBatchSize: Math.min(MAX_BATCH, maxQueueSize),
          scheduledDelayMillis: options.exportIntervalMs ?? 1_000,
          exportTimeoutMillis: exportTimeoutMs,
        }),
      ],
    });
    this.tracer = this.provider.getTracer('tidegate', options.serviceVersion);
    this.propagator = new core.W3CTraceContextPropagator();
    core.setGlobalErrorHandler((fault) =>
      logger.warn({ error: describeError(fault) }, 'traces could not be sent'),
    );
  }

  traceHandler(method: string, handler: UnaryHandler, describe: DescribeCall): UnaryHandler {
    const { api } = this.packages;
    const name = method.replace(/^\//, '');
    return (message, call) => {
      const parent = this.parentOf(call);
      const span = this.tracer.startSpan(name, { kind: api.SpanKind.SERVER }, parent);
      const finish = (answer: Uint8Array): Uint8Array => {
        if (span.isRecording()) this.describe(span, () => describe(message, answer));
        span.end();
        return answer;
      };
      const fail = (thrown: unknown): never => {
        this.markFailed(span, thrown);
        span.end();
        throw thrown;
      };
      return this.current.run(api.trace.setSpan(parent, span), () => {
        let answer;
        try {
          answer = handler(message, call);
        } catch (thrown) {
          return fail(thrown);
        }
        return answer instanceof Uint8Array ? finish(answer) : Later.from(answer).map(finish, fail);
      });
    };
  }

  traceStore(kind: string, store: BucketStore): BucketStore {
    return {
      decide: (request) => this.tracedDecide(kind, store, request),
      ready: () => store.ready(),
      close: () => store.close(),
    };
  }

  async shutdown(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<'expired'>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, 'expired');
    });
    try {
      const ended = await Promise.race([this.provider.shutdown(), expired]);
      if (ended === 'expired') this.logger.warn({ timeoutMs }, 'the last traces could not be sent in time');
    } catch (thrown) {
      this.logger.warn({ error: describeError(thrown) }, 'the last traces could not be sent');
    } finally {
      clearTimeout(timer);
    }
  }

  private tracedDecide(
    kind: string,
    store: BucketStore,
    request: BucketRequest,
  ): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const context = this.current.getStore();
    if (context === undefined) return store.decide(request);
    const { api } = this.packages;
    const span = this.tracer.startSpan('store.decide', { kind: api.SpanKind.CLIENT }, context);
    const finish = (results: readonly BucketResult[]): readonly BucketResult[] => {
      span.setAttribute('tidegate.store.kind', kind);
      span.setAttribute('tidegate.store.buckets', request.calls.length);
      const failed = results.find((result) => result instanceof TidegateError);
      if (failed !== undefined) this.markFailed(span, failed);
      span.end();
      return results;
    };
    const results = store.decide(request);
    return results instanceof Later ? results.map(finish) : finish(results);
  }

  private parentOf(call: CallContext): Context {
    const { api } = this.packages;
    if (call.traceparent === undefined) return api.ROOT_CONTEXT;
    const carrier = { traceparent: call.traceparent };
    return this.propagator.extract(api.ROOT_CONTEXT, carrier, api.defaultTextMapGetter);
  }

  /** A fault in describing a call must not become the call's. */
  private describe(span: Span, read: () => { readonly domain: string; readonly overallCode: string }): void {
    try {
      const { domain, overallCode } = read();
      span.setAttribute('ratelimit.domain', domain.slice(0, 256));
      span.setAttribute('ratelimit.overall_code', overallCode);
    } catch (thrown) {
      this.logger.debug({ error: describeError(thrown) }, 'a call could not be described for its trace');
    }
  }

  private markFailed(span: Span, thrown: unknown): void {
    const error = TidegateError.from(thrown);
    span.setAttribute('error.type', error.code);
    span.setStatus({ code: this.packages.api.SpanStatusCode.ERROR, message: error.code });
  }
}
