/**
 * HTTP calls to other systems (Prometheus, InfluxDB, webhooks): each with a time limit, an answer of bounded length, and
 * a coded error for whatever goes wrong. Certificates are checked against the CAs that Node.js trusts, which
 * `NODE_EXTRA_CA_CERTS` adds to.
 */
import { TidegateError } from '../core/errors';

/** Where calls go, and what bounds them. */
export interface HttpClientOptions {
  /** The base, `http://` or `https://`, to which paths are appended; `user:password@` in it becomes basic authentication. */
  readonly url: string;
  /** Sent with every call, such as `authorization`. Never shown in errors. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For a whole call, its answer included, ms. */
  readonly timeoutMs: number;
  /** The longest answer that is read, bytes after decompression. */
  readonly maxBytes: number;
}

/** One call. */
export interface HttpCall {
  readonly method: 'GET' | 'POST';
  /** Appended to the base's path; begins with a slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back, whatever its status. */
export interface HttpReply {
  readonly status: number;
  readonly body: string;
  /** Of the `retry-after` header, ms; undefined without one. */
  readonly retryAfterMs: number | undefined;
}

/** Basic or bearer authentication as headers; none where both are empty. */
export function authorization(auth: {
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  /** InfluxDB 2 says `Token`. */
  readonly scheme?: 'Bearer' | 'Token';
}): Readonly<Record<string, string>> {
  const { username = '', password = '', token = '', scheme = 'Bearer' } = auth;
  if (token !== '') return { authorization: `${scheme} ${token}` };
  if (username === '' && password === '') return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}` };
}

/** The innermost reason that `fetch` gives, such as ECONNREFUSED. */
function reasonOf(thrown: unknown): string {
  let inner = thrown;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof AggregateError && inner.errors[0] instanceof Error) return inner.errors[0].message;
  return inner instanceof Error ? inner.message : String(inner);
}

/** What percent-encoding stands for; as it is where it stands for nothing, as in a password with a percent sign. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Calls to one base URL. */
export class HttpClient {
  /** The base without credentials and query, as errors and logs show it. */
  readonly name: string;
  private readonly base: URL;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly underWay = new Set<AbortController>();

  /** @throws TidegateError TG_SETTINGS_INVALID when the URL is none. */
  constructor(private readonly options: HttpClientOptions) {
    const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw new TidegateError('TG_SETTINGS_INVALID', 'the URL of another system is not http:// or https://');
    }
    const auth = authorization({
      username: decoded(url.username),
      password: decoded(url.password),
    });
    url.username = '';
    url.password = '';
    this.base = url;
    this.headers = { ...auth, ...options.headers };
    this.name = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  }

  /**
   * Sends one call and reads its answer. Redirects are not followed: they would carry the credentials elsewhere.
   * @throws TidegateError TG_SOURCE_UNAVAILABLE, TG_SOURCE_TIMEOUT, TG_SOURCE_TOO_LARGE.
   */
  async send(call: HttpCall): Promise<HttpReply> {
    const controller = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      controller.abort();
    }, this.options.timeoutMs);
    this.underWay.add(controller);
    try {
      const response = await fetch(this.address(call), {
        method: call.method,
        headers: { ...this.headers, ...call.headers },
        redirect: 'manual',
        signal: controller.signal,
        ...(call.body === undefined ? {} : { body: call.body as string | Uint8Array<ArrayBuffer> }),
      });
      const body = await this.read(response, call.path);
      const wait = Number(response.headers.get('retry-after') ?? 'none');
      return {
        status: response.status,
        body,
        retryAfterMs: Number.isFinite(wait) && wait >= 0 ? wait * 1_000 : undefined,
      };
    } catch (thrown) {
      throw this.explain(thrown, call.path, late);
    } finally {
      clearTimeout(timer);
      this.underWay.delete(controller);
    }
  }

  /** Aborts what is under way; each of those calls fails with TG_SOURCE_UNAVAILABLE. */
  close(): void {
    for (const controller of this.underWay) controller.abort();
  }

  private address(call: HttpCall): URL {
    const url = new URL(this.base);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${call.path}`;
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
    return url;
  }

  private async read(response: Response, path: string): Promise<string> {
    const { maxBytes } = this.options;
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      const bytes = chunk as Uint8Array;
      length += bytes.byteLength;
      if (length > maxBytes) {
        throw new TidegateError(
          'TG_SOURCE_TOO_LARGE',
          `${this.name}${path} answers with more than ${maxBytes} bytes`,
        );
      }
      chunks.push(bytes);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  private explain(thrown: unknown, path: string, late: boolean): TidegateError {
    if (thrown instanceof TidegateError) return thrown;
    const where = `${this.name}${path}`;
    if (late) {
      return new TidegateError(
        'TG_SOURCE_TIMEOUT',
        `${where} did not answer within ${this.options.timeoutMs} ms`,
      );
    }
    return new TidegateError(
      'TG_SOURCE_UNAVAILABLE',
      `${where} cannot be reached: ${reasonOf(thrown)}`,
      // Not as a cause: what fetch throws may hold the request, and with it the credentials.
    );
  }
}

/** The first words of an answer, for an error: one line, no control characters, at most 200 characters. */
export function excerpt(body: string): string {
  const line = body
    .slice(0, 400)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
