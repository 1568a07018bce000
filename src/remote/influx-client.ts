/**
 * InfluxDB over HTTP: version 1 (`/write`, `/query` with InfluxQL) and versions 2 and 3 (`/api/v2/write`, `/api/v2/query`
 * with Flux, answered as annotated CSV). See docs.influxdata.com, "InfluxDB API".
 */
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { TidegateError } from '../core/errors';
import { excerpt, HttpClient, type HttpClientOptions, type HttpReply } from './http-client';
import type { RangeSeries } from './prometheus-client';
import { readAnnotatedCsv } from './annotated-csv';

/** Which InfluxDB, and what in it. */
export type InfluxTarget =
  | { readonly version: 1; readonly database: string }
  | { readonly version: 2; readonly org: string; readonly bucket: string };

/** How a write went wrong. */
export interface WriteFailure {
  readonly error: TidegateError;
  /** Whether the same lines may be taken later; the others are not worth keeping. */
  readonly again: boolean;
  /** What the server asks to wait, ms. */
  readonly retryAfterMs: number | undefined;
}

/** Bodies from this length on are compressed, bytes. */
const COMPRESSED_FROM = 1_024;

const cell = z.union([z.number(), z.string(), z.boolean(), z.null()]);
const answer = z.object({
  error: z.string().optional(),
  results: z
    .array(
      z.object({
        error: z.string().optional(),
        series: z
          .array(
            z.object({
              tags: z.record(z.string(), z.string()).optional(),
              columns: z.array(z.string()),
              values: z.array(z.array(cell)),
            }),
          )
          .optional(),
      }),
    )
    .optional(),
});

/** A client of one database or bucket. */
export class InfluxClient {
  private readonly http: HttpClient;

  /** @throws TidegateError TG_SETTINGS_INVALID when the URL is none. */
  constructor(
    options: HttpClientOptions,
    private readonly target: InfluxTarget,
  ) {
    this.http = new HttpClient(options);
  }

  /** The server's URL without credentials. */
  get name(): string {
    return this.http.name;
  }

  /** Writes lines of the line protocol with times in ms. @returns what went wrong, undefined when nothing did. */
  async write(lines: string, compress: boolean): Promise<WriteFailure | undefined> {
    const { target } = this;
    const packed = compress && lines.length >= COMPRESSED_FROM;
    try {
      const reply = await this.http.send({
        method: 'POST',
        path: target.version === 1 ? '/write' : '/api/v2/write',
        query:
          target.version === 1
            ? { db: target.database, precision: 'ms' }
            : { org: target.org, bucket: target.bucket, precision: 'ms' },
        body: packed ? gzipSync(lines) : lines,
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          ...(packed ? { 'content-encoding': 'gzip' } : {}),
        },
      });
      if (reply.status >= 200 && reply.status < 300) return undefined;
      const again =
        reply.status === 429 || reply.status >= 500 || reply.status === 401 || reply.status === 403;
      return { error: this.unexpected(reply), again, retryAfterMs: reply.retryAfterMs };
    } catch (thrown) {
      return { error: TidegateError.from(thrown), again: true, retryAfterMs: undefined };
    }
  }

  /**
   * Asks in InfluxQL (version 1) or Flux (version 2). The first column that is a number, other than the time, is the value.
   * @throws TidegateError TG_SOURCE_*.
   */
  async query(text: string): Promise<readonly RangeSeries[]> {
    return this.target.version === 1
      ? this.queryFirst(text, this.target.database)
      : this.queryFlux(text, this.target.org);
  }

  /** Aborts what is under way. */
  close(): void {
    this.http.close();
  }

  private async queryFirst(text: string, database: string): Promise<readonly RangeSeries[]> {
    const reply = await this.http.send({
      method: 'POST',
      path: '/query',
      body: new URLSearchParams({ db: database, q: text, epoch: 'ms' }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    });
    const checked = answer.safeParse(this.parse(reply));
    if (!checked.success) throw this.unexpected(reply);
    const { error, results = [] } = checked.data;
    const refused = error ?? results.find((one) => one.error !== undefined)?.error;
    if (refused !== undefined && reply.status !== 401 && reply.status !== 403) throw this.refusal(refused);
    if (reply.status !== 200) throw this.unexpected(reply);
    return results.flatMap(({ series = [] }) =>
      series.map(({ tags = {}, columns, values }) => ({ labels: tags, points: pointsOf(columns, values) })),
    );
  }

  private async queryFlux(text: string, org: string): Promise<readonly RangeSeries[]> {
    const reply = await this.http.send({
      method: 'POST',
      path: '/api/v2/query',
      query: { org },
      body: text,
      headers: { 'content-type': 'application/vnd.flux', accept: 'application/csv' },
    });
    if (reply.status === 400) throw this.refusal(reply.body);
    if (reply.status !== 200) throw this.unexpected(reply);
    const read = readAnnotatedCsv(reply.body);
    if (read.error !== undefined) throw this.refusal(read.error);
    if (read.series === undefined) throw this.unexpected(reply);
    return read.series;
  }

  private parse(reply: HttpReply): unknown {
    try {
      return JSON.parse(reply.body) as unknown;
    } catch {
      throw this.unexpected(reply);
    }
  }

  private refusal(message: string): TidegateError {
    return new TidegateError('TG_SOURCE_QUERY', `${this.http.name}: ${excerpt(message)}`);
  }

  private unexpected(reply: HttpReply): TidegateError {
    const code = reply.status === 401 || reply.status === 403 ? 'TG_SOURCE_AUTH' : 'TG_SOURCE_REPLY';
    return new TidegateError(code, `${this.http.name}: HTTP ${reply.status}: ${excerpt(reply.body)}`);
  }
}

function pointsOf(
  columns: readonly string[],
  rows: readonly (readonly z.output<typeof cell>[])[],
): { atMs: number; value: number }[] {
  const time = columns.indexOf('time');
  return rows.flatMap((row) => {
    const value = row.find((one, index) => index !== time && typeof one === 'number');
    const atMs = row[time];
    return typeof value === 'number' && typeof atMs === 'number' && Number.isSafeInteger(atMs)
      ? [{ atMs, value }]
      : [];
  });
}
