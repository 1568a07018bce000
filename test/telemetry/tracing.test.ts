/** @jest-environment ./test/telemetry/native-require-environment.mjs */
import { Later } from '../../src/core/later';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { BucketRequest, BucketResult, BucketStore } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import type { CallContext, Logger } from '../../src/core/ports';
import { createTracer, type Tracer, type TracingOptions } from '../../src/telemetry/tracing';

// The real exporter, loaded by Node itself: it imports node:http dynamically.
const mockNativeRequire = (name: string): unknown =>
  (globalThis as unknown as { nativeRequire: NodeJS.Require }).nativeRequire(name);
jest.mock('@opentelemetry/exporter-trace-otlp-http', () =>
  mockNativeRequire('@opentelemetry/exporter-trace-otlp-http'),
);

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: { stringValue?: string; intValue?: number } }[];
  readonly status: { code?: number; message?: string };
}
interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** An OTLP/HTTP collector in this process. */
class Collector {
  readonly spans: OtlpSpan[] = [];
  readonly services = new Set<string>();
  readonly apiKeys = new Set<string | undefined>();
  private server: Server | undefined;

  async start(answer: 'ok' | 'never' = 'ok'): Promise<string> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.apiKeys.add(request.headers['x-api-key']?.toString());
        const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as OtlpBody;
        for (const { resource, scopeSpans } of body.resourceSpans) {
          for (const { key, value } of resource.attributes) {
            if (key === 'service.name') this.services.add(value.stringValue ?? '');
          }
          for (const { spans } of scopeSpans) this.spans.push(...spans);
        }
        if (answer === 'ok') response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    const { server } = this;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const collector = (): Collector => {
  const made = new Collector();
  collectors.push(made);
  return made;
};
const collectors: Collector[] = [];
afterEach(async () => {
  for (const each of collectors.splice(0)) await each.stop();
});

const warnings: string[] = [];
const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (_fields, message) => void warnings.push(message),
  error: () => undefined,
};

const tracing = (options: Partial<TracingOptions>): Promise<Tracer> =>
  createTracer(
    {
      enabled: true,
      serviceName: 'tidegate-test',
      serviceVersion: '1.2.3',
      samplingRatio: 1,
      endpoint: 'http://127.0.0.1:1/',
      ...options,
    },
    logger,
  );

const METHOD = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
const call = (traceparent?: string): CallContext => ({ timeoutMs: 20, ...(traceparent && { traceparent }) });
const message = new Uint8Array([1]);
const describeCall = () => ({ domain: 'edge', overallCode: 'OVER_LIMIT' });
const bucketRequest: BucketRequest = {
  calls: [],
  chargeDenied: 'none',
  quotaSatisfied: false,
  deadlineMs: 10,
};
const storeOf = (decide: BucketStore['decide']): BucketStore => ({
  decide,
  ready: () => true,
  close: async () => undefined,
});
const attributes = (span: OtlpSpan | undefined): Record<string, string | number | undefined> =>
  Object.fromEntries(
    (span?.attributes ?? []).map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
  );
const spanNamed = (from: Collector, name: string) => from.spans.find((span) => span.name === name);

describe('tracing', () => {
  it('hands everything back as it was when it is off', async () => {
    const tracer = await tracing({ enabled: false });
    const handler = () => message;
    const store = storeOf(() => []);
    expect(tracer.enabled).toBe(false);
    expect(tracer.traceHandler(METHOD, handler, describeCall)).toBe(handler);
    expect(tracer.traceStore('redis', store)).toBe(store);
    await tracer.shutdown(1);
  });

  it('has no OpenTelemetry package loaded by being imported', () => {
    const folder = resolve(__dirname, '../../src/telemetry');
    for (const file of readdirSync(folder)) {
      const source = readFileSync(join(folder, file), 'utf8');
      const imports = source.match(/^import .*'@opentelemetry\/.*$/gm) ?? [];
      expect([file, imports.filter((line) => !line.startsWith('import type '))]).toEqual([file, []]);
    }
  });

  it('sends the headers of OTEL_EXPORTER_OTLP_HEADERS', async () => {
    const receiver = collector();
    // The exporter is loaded outside of jest's sandbox, and sees the process's own environment.
    const { env } = mockNativeRequire('node:process') as NodeJS.Process;
    env.OTEL_EXPORTER_OTLP_HEADERS = 'x-api-key=from-the-environment';
    try {
      const tracer = await tracing({ endpoint: await receiver.start() });
      await tracer.traceHandler(METHOD, () => message, describeCall)(message, call());
      await tracer.shutdown(5_000);
    } finally {
      delete env.OTEL_EXPORTER_OTLP_HEADERS;
    }
    expect([...receiver.apiKeys]).toEqual(['from-the-environment']);
  });

  it("sends a span a call, under the caller's, and the store's span under it", async () => {
    const receiver = collector();
    const tracer = await tracing({ endpoint: await receiver.start(), headers: { 'x-api-key': 'k' } });
    const store = tracer.traceStore(
      'redis',
      storeOf(() =>
        Later.from<readonly BucketResult[]>(Promise.resolve([new TidegateError('TG_STORE_TIMEOUT', 'late')])),
      ),
    );
    const handler = tracer.traceHandler(
      METHOD,
      async () => {
        await store.decide(bucketRequest);
        return message;
      },
      describeCall,
    );
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    expect(await handler(message, call(`00-${traceId}-b7ad6b7169203331-01`))).toBe(message);
    await tracer.shutdown(5_000);

    const served = spanNamed(receiver, METHOD.slice(1));
    const stored = spanNamed(receiver, 'store.decide');
    expect(served).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' });
    expect(stored).toMatchObject({ traceId, parentSpanId: served?.spanId, status: { code: 2 } });
    expect(attributes(served)).toMatchObject({
      'ratelimit.domain': 'edge',
      'ratelimit.overall_code': 'OVER_LIMIT',
    });
    expect(attributes(stored)).toMatchObject({
      'tidegate.store.kind': 'redis',
      'error.type': 'TG_STORE_TIMEOUT',
    });
    for (const span of receiver.spans) {
      expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
    }
    expect([...receiver.services]).toEqual(['tidegate-test']);
    expect([...receiver.apiKeys]).toEqual(['k']);
  });

  it('keeps calls that run at the same time apart', async () => {
    const receiver = collector();
    const tracer = await tracing({ endpoint: await receiver.start() });
    const gates: (() => void)[] = [];
    const store = tracer.traceStore(
      'redis',
      storeOf(() => Later.from(new Promise((done) => gates.push(() => done([]))))),
    );
    const handler = tracer.traceHandler(
      METHOD,
      async () => {
        await store.decide(bucketRequest);
        return message;
      },
      describeCall,
    );
    const calls = [handler(message, call()), handler(message, call())];
    for (const open of gates.reverse()) open();
    for (const answered of calls) await answered;
    await tracer.shutdown(5_000);
    const served = receiver.spans.filter((span) => span.name !== 'store.decide');
    const stored = receiver.spans.filter((span) => span.name === 'store.decide');
    expect(new Set(served.map((span) => span.traceId)).size).toBe(2);
    expect(stored.map((span) => `${span.traceId} ${span.parentSpanId}`).sort()).toEqual(
      served.map((span) => `${span.traceId} ${span.spanId}`).sort(),
    );
  });

  it.each([
    ['thrown', () => { throw new TidegateError('TG_REQUEST_MALFORMED', 'bad'); }], // prettier-ignore
    ['rejected', async () => { throw new TidegateError('TG_REQUEST_MALFORMED', 'bad'); }], // prettier-ignore
  ] as const)('marks the span of a %s error and passes the error on', async (_how, failing) => {
    const receiver = collector();
    const tracer = await tracing({ endpoint: await receiver.start() });
    const handler = tracer.traceHandler(METHOD, failing, describeCall);
    await expect(async () => handler(message, call())).rejects.toMatchObject({
      code: 'TG_REQUEST_MALFORMED',
    });
    await tracer.shutdown(5_000);
    expect(receiver.spans[0]).toMatchObject({ status: { code: 2, message: 'TG_REQUEST_MALFORMED' } });
  });

  it.each([
    ['a ratio of 0 starts no trace', 0, undefined, 0],
    [
      "a caller's decision to sample goes before the ratio",
      0,
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      1,
    ],
    [
      "a caller's decision not to sample does too",
      1,
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
      0,
    ],
    ['a broken traceparent starts a trace of its own', 1, 'garbage', 1],
  ])('%s', async (_what, samplingRatio, traceparent, sent) => {
    const receiver = collector();
    const tracer = await tracing({ endpoint: await receiver.start(), samplingRatio });
    await tracer.traceHandler(METHOD, () => message, describeCall)(message, call(traceparent));
    await tracer.shutdown(5_000);
    expect(receiver.spans).toHaveLength(sent);
  });

  it('drops spans beyond its queue, and answers on when they cannot be described', async () => {
    const receiver = collector();
    const tracer = await tracing({
      endpoint: await receiver.start(),
      maxQueueSize: 4,
      exportIntervalMs: 60_000,
    });
    const failing = () => {
      throw new Error('cannot be read');
    };
    const handler = tracer.traceHandler(METHOD, () => message, failing);
    for (let i = 0; i < 1_000; i += 1) expect(handler(message, call())).toBe(message);
    await tracer.shutdown(5_000);
    expect(receiver.spans.length).toBeGreaterThan(0);
    expect(receiver.spans.length).toBeLessThanOrEqual(8);
  });

  it('gives up on a collector that does not answer, within the time given', async () => {
    warnings.length = 0;
    const receiver = collector();
    const tracer = await tracing({ endpoint: await receiver.start('never'), exportTimeoutMs: 2_000 });
    await tracer.traceHandler(METHOD, () => message, describeCall)(message, call());
    const before = performance.now();
    await tracer.shutdown(50);
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(warnings).toContain('the last traces could not be sent in time');
  });

  it('says in the log that spans cannot be sent', async () => {
    warnings.length = 0;
    const tracer = await tracing({ endpoint: 'http://127.0.0.1:1/v1/traces', exportTimeoutMs: 300 });
    await tracer.traceHandler(METHOD, () => message, describeCall)(message, call());
    await tracer.shutdown(3_000);
    expect(warnings.join('\n')).toMatch(/traces could not be sent/);
  });
});
