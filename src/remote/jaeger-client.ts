/**
 * Queries to Jaeger's query API (jaegertracing.io/docs, "APIs": `/api/traces`, the JSON that its own pages use). Every answer
 * is checked; one that makes no sense is an error with a code.
 */
import { z } from 'zod';
import { TidegateError } from '../core/errors';
import { excerpt, HttpClient, type HttpClientOptions, type HttpReply } from './http-client';

/** What a server did for one request. */
export interface ServerSpan {
  readonly durationMs: number;
  /** It is tagged as an error, or was answered with a 5xx. */
  readonly failed: boolean;
}

/** What is asked for. */
export interface SpanQuery {
  readonly service: string;
  /** Unix times. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Traces at most; Jaeger gives the latest. */
  readonly maxTraces: number;
}

const tag = z.object({ key: z.string(), value: z.unknown() });
const span = z.object({
  /** Microseconds. */
  startTime: z.number(),
  duration: z.number(),
  processID: z.string(),
  tags: z.array(tag).nullish(),
});
const trace = z.object({
  spans: z.array(span),
  processes: z.record(z.string(), z.object({ serviceName: z.string() })),
});
const answer = z.object({
  data: z.array(trace).nullish(),
  errors: z.array(z.object({ msg: z.string() })).nullish(),
});
type Span = z.output<typeof span>;

const US_PER_MS = 1_000;
/** Of OpenTelemetry's conventions, and of the older ones. */
const STATUS_TAGS = new Set(['http.status_code', 'http.response.status_code']);
const SERVER_ERROR = 500;

/** A client of one Jaeger. */
export class JaegerClient {
  private readonly http: HttpClient;

  /** @throws TidegateError TG_SETTINGS_INVALID when the URL is none. */
  constructor(options: HttpClientOptions) {
    this.http = new HttpClient(options);
  }

  /**
   * The spans that a service was the server of and that ended in a span of time; a service that nobody knows has none.
   * @throws TidegateError TG_SOURCE_*.
   */
  async serverSpans({ service, fromMs, toMs, maxTraces }: SpanQuery): Promise<readonly ServerSpan[]> {
    const reply = await this.http.send({
      method: 'GET',
      path: '/api/traces',
      query: {
        service,
        start: String(Math.floor(fromMs * US_PER_MS)),
        end: String(Math.ceil(toMs * US_PER_MS)),
        // Other servers of this API go by it.
        lookback: `${Math.ceil((toMs - fromMs) / 1_000)}s`,
        limit: String(maxTraces),
      },
      headers: { accept: 'application/json' },
    });
    const traces = this.parse(reply);
    return traces.flatMap(({ spans, processes }) =>
      spans
        .filter((one) => processes[one.processID]?.serviceName === service && isOfServer(one))
        .filter((one) => endsWithin(one, fromMs, toMs))
        .map((one) => ({ durationMs: one.duration / US_PER_MS, failed: hasFailed(one) })),
    );
  }

  /** Aborts what is under way. */
  close(): void {
    this.http.close();
  }

  private parse(reply: HttpReply): readonly z.output<typeof trace>[] {
    const checked = answer.safeParse(bodyOf(reply));
    const told = checked.data?.errors?.[0]?.msg;
    if (told !== undefined && reply.status === 400)
      throw new TidegateError('TG_SOURCE_QUERY', `${this.http.name}: ${excerpt(told)}`);
    if (reply.status === 401 || reply.status === 403)
      throw new TidegateError('TG_SOURCE_AUTH', `${this.http.name}: HTTP ${reply.status}`);
    const { data } = checked;
    if (
      reply.status !== 200 ||
      data === undefined ||
      (told !== undefined && (data.data ?? []).length === 0)
    ) {
      const issue = checked.error?.issues[0];
      const why = told ?? (issue === undefined ? reply.body : `${issue.path.join('.')}: ${issue.message}`);
      throw new TidegateError('TG_SOURCE_REPLY', `${this.http.name}: HTTP ${reply.status}: ${excerpt(why)}`);
    }
    return data.data ?? [];
  }
}

function bodyOf(reply: HttpReply): unknown {
  try {
    return JSON.parse(reply.body) as unknown;
  } catch {
    return undefined;
  }
}

function isOfServer({ tags }: Span): boolean {
  return (tags ?? []).some(({ key, value }) => key === 'span.kind' && value === 'server');
}

function endsWithin({ startTime, duration }: Span, fromMs: number, toMs: number): boolean {
  const endMs = (startTime + duration) / US_PER_MS;
  return duration >= 0 && endMs >= fromMs && endMs <= toMs;
}

function hasFailed({ tags }: Span): boolean {
  return (tags ?? []).some(({ key, value }) => {
    if (key === 'error') return value === true || value === 'true';
    return STATUS_TAGS.has(key) && Number(value) >= SERVER_ERROR;
  });
}
