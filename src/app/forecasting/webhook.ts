/** Tells a webhook what an alert did: JSON by POST, a few attempts, a bounded line of messages. */
import { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';

/** How webhooks are called. */
export interface WebhookOptions {
  readonly timeoutMs: number;
  /** Waits between attempts, ms; one attempt more than waits. */
  readonly retryAfterMs: readonly number[];
  /** Messages that may wait; the oldest is dropped beyond. */
  readonly maxWaiting: number;
}

interface Waiting {
  readonly name: string;
  readonly body: string;
}

/** Sends the messages to each URL one after the other, in order; a receiver that is slow or down holds up no other. */
export class Webhooks {
  /** By URL, of those only that are being told. */
  private readonly lines = new Map<string, Waiting[]>();
  private readonly sending = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  /** Messages that could not be delivered. */
  lost = 0;

  constructor(
    private readonly options: WebhookOptions,
    private readonly logger: Logger,
  ) {}

  /** Sends in its turn. @param name what it is about, for the log; URLs may carry secrets and are not logged. */
  send(name: string, url: string, message: object): void {
    const body = JSON.stringify(message);
    this.makeRoom();
    const line = this.lines.get(url);
    if (line !== undefined) {
      line.push({ name, body });
      return;
    }
    const begun = [{ name, body }];
    this.lines.set(url, begun);
    const sending: Promise<void> = this.drain(url, begun).finally(() => this.sending.delete(sending));
    this.sending.add(sending);
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.sending.size > 0) await Promise.all(this.sending);
  }

  /** Gives up what waits. */
  async close(): Promise<void> {
    for (const line of this.lines.values()) line.length = 0;
    this.stopping.abort();
    await this.idle();
  }

  /** The oldest of the longest line goes: that of whoever takes nothing. */
  private makeRoom(): void {
    const lines = [...this.lines.values()];
    if (lines.reduce((sum, line) => sum + line.length, 0) < this.options.maxWaiting) return;
    const longest = lines.reduce((one, other) => (other.length > one.length ? other : one));
    longest.shift();
    this.lost += 1;
  }

  private async drain(url: string, line: Waiting[]): Promise<void> {
    for (let next = line.shift(); next !== undefined; next = line.shift()) await this.deliver(url, next);
    this.lines.delete(url);
  }

  private async deliver(url: string, { name, body }: Waiting): Promise<void> {
    for (const waitMs of [...this.options.retryAfterMs, undefined]) {
      const failure = await this.attempt(url, body);
      if (failure === undefined) return;
      if (waitMs === undefined || this.stopping.signal.aborted) {
        this.lost += 1;
        const error = new TidegateError('TG_WEBHOOK_FAILED', `alert ${name}: ${failure}`);
        this.logger.warn({ error, alert: name }, 'a webhook was not told');
        return;
      }
      await pause(waitMs, this.stopping.signal);
    }
  }

  /** @returns what went wrong. */
  private async attempt(url: string, body: string): Promise<string | undefined> {
    try {
      const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(this.options.timeoutMs)]);
      const headers = { 'content-type': 'application/json', 'user-agent': 'tidegate' };
      const reply = await fetch(url, { method: 'POST', body, headers, redirect: 'error', signal });
      await reply.body?.cancel();
      return reply.ok ? undefined : `the receiver answered ${reply.status}`;
    } catch (thrown) {
      const timedOut = (thrown as { name?: unknown }).name === 'TimeoutError';
      return timedOut ? 'no answer in time' : 'the receiver cannot be reached';
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
