/**
 * Queries to Prometheus and what speaks like it (prometheus.io/docs/prometheus/latest/querying/api: `/api/v1/query`,
 * `/api/v1/query_range`). Every answer is checked; one that makes no sense is an error with a code.
 */
import { z } from 'zod';
import { TidegateError } from '../core/errors';
import { excerpt, HttpClient, type HttpClientOptions, type HttpReply } from './http-client';

/** The labels of a series. */
export type Labels = Readonly<Record<string, string>>;

/** One series' value at one time. */
export interface InstantSample {
  readonly labels: Labels;
  readonly atMs: number;
  /** Finite: samples that are not are left out. */
  readonly value: number;
}

/** One series' values over a range, ascending in time. */
export interface RangeSeries {
  readonly labels: Labels;
  /** Finite values only. */
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
}

/** Prometheus refuses a range of more steps than this. */
export const RANGE_STEPS_MAX = 11_000;
/** Queries that one range may be split into. */
const SPLITS_MAX = 1_000;

const point = z.tuple([z.number(), z.string()]);
const labels = z.record(z.string(), z.string());
const data = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: labels, value: point })) }),
  z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: labels, values: z.array(point) })),
  }),
  z.object({ resultType: z.literal('scalar'), result: point }),
]);
const success = z.object({ status: z.literal('success'), data });
const failure = z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() });
type Data = z.output<typeof data>;

/** What the API writes as a sample's value. */
function parseValue(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

function parsePoint([seconds, text]: readonly [number, string]): { atMs: number; value: number } | undefined {
  const value = parseValue(text);
  const atMs = Math.round(seconds * 1_000);
  return Number.isFinite(value) && Number.isSafeInteger(atMs) ? { atMs, value } : undefined;
}

function points(values: readonly (readonly [number, string])[]): { atMs: number; value: number }[] {
  return values.map(parsePoint).filter((one) => one !== undefined);
}

/** Unix seconds, as the API takes times. */
const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

/** A client of one Prometheus. */
export class PrometheusClient {
  private readonly http: HttpClient;

  /** @throws TidegateError TG_SETTINGS_INVALID when the URL is none. */
  constructor(options: HttpClientOptions) {
    this.http = new HttpClient(options);
  }

  /** The server's URL without credentials. */
  get name(): string {
    return this.http.name;
  }

  /**
   * The value of an expression at one time, now by default; an expression of no series gives none.
   * @throws TidegateError TG_SOURCE_*.
   */
  async query(promql: string, atMs?: number): Promise<readonly InstantSample[]> {
    const answer = await this.ask('/api/v1/query', {
      query: promql,
      ...(atMs === undefined ? {} : { time: seconds(atMs) }),
    });
    if (answer.resultType === 'scalar') return points([answer.result]).map((one) => ({ labels: {}, ...one }));
    if (answer.resultType === 'matrix')
      throw this.nonsense('a range where one value was asked for; drop the [range]');
    return answer.result.flatMap(({ metric, value }) =>
      points([value]).map((one) => ({ labels: metric, ...one })),
    );
  }

  /**
   * The values of an expression at even steps from `fromMs` to `toMs`, both included. Asked in as many parts as the limit
   * of {@link RANGE_STEPS_MAX} steps takes, one after the other.
   * @throws TidegateError TG_SOURCE_*; TG_SOURCE_QUERY when the range is empty or absurdly long for its step.
   */
  async queryRange(
    promql: string,
    fromMs: number,
    toMs: number,
    stepMs: number,
  ): Promise<readonly RangeSeries[]> {
    const steps = (toMs - fromMs) / stepMs;
    if (!(stepMs >= 1) || !(steps >= 0) || steps > RANGE_STEPS_MAX * SPLITS_MAX) {
      throw new TidegateError('TG_SOURCE_QUERY', `no range: ${fromMs} to ${toMs} ms by ${stepMs} ms`);
    }
    const found = new Map<string, { labels: Labels; points: { atMs: number; value: number }[] }>();
    for (let part = fromMs; part <= toMs; part += stepMs * RANGE_STEPS_MAX) {
      const end = Math.min(toMs, part + stepMs * (RANGE_STEPS_MAX - 1));
      const answer = await this.ask('/api/v1/query_range', {
        query: promql,
        start: seconds(part),
        end: seconds(end),
        step: String(stepMs / 1_000),
      });
      if (answer.resultType !== 'matrix') throw this.nonsense('no range where one was asked for');
      for (const { metric, values } of answer.result) {
        const key = JSON.stringify(Object.entries(metric).sort());
        const series = found.get(key) ?? { labels: metric, points: [] };
        for (const one of points(values)) series.points.push(one);
        found.set(key, series);
      }
    }
    return [...found.values()];
  }

  /** Aborts what is under way. */
  close(): void {
    this.http.close();
  }

  private async ask(path: string, form: Readonly<Record<string, string>>): Promise<Data> {
    const reply = await this.http.send({
      method: 'POST',
      path,
      body: new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    });
    const body = this.parse(reply);
    const refused = failure.safeParse(body);
    if (refused.success) throw this.refusal(refused.data.errorType, refused.data.error);
    if (reply.status !== 200) throw this.unexpected(reply);
    const checked = success.safeParse(body);
    if (!checked.success) {
      const issue = checked.error.issues[0];
      throw this.nonsense(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`);
    }
    return checked.data.data;
  }

  private parse(reply: HttpReply): unknown {
    try {
      return JSON.parse(reply.body) as unknown;
    } catch {
      throw this.unexpected(reply);
    }
  }

  private refusal(type: string, message: string): TidegateError {
    const where = `${this.http.name}: ${excerpt(type)}: ${excerpt(message)}`;
    if (type === 'timeout' || type === 'canceled') return new TidegateError('TG_SOURCE_TIMEOUT', where);
    if (type === 'bad_data' || type === 'execution') return new TidegateError('TG_SOURCE_QUERY', where);
    return new TidegateError('TG_SOURCE_REPLY', where);
  }

  private unexpected(reply: HttpReply): TidegateError {
    const code = reply.status === 401 || reply.status === 403 ? 'TG_SOURCE_AUTH' : 'TG_SOURCE_REPLY';
    return new TidegateError(code, `${this.http.name}: HTTP ${reply.status}: ${excerpt(reply.body)}`);
  }

  private nonsense(what: string): TidegateError {
    return new TidegateError('TG_SOURCE_REPLY', `${this.http.name}: ${excerpt(what)}`);
  }
}
