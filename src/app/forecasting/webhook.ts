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
  readonly url: string;
  readonly body: string;
}

/** Sends messages one after the other, so that a slow receiver gets them in order. */
export class Webhooks {
  private readonly waiting: Waiting[] = [];
  private sending: Promise<void> | undefined;
  private readonly stopping = new AbortController();
  /** Messages that could not be delivered. */
  lost = 0;

  constructor(
    private readonly options: WebhookOptions,
    private readonly logger: Logger,
  ) {}

  /** Sends in its turn. @param name what it is about, for the log; URLs may carry secrets and are not logged. */
  send(name: string, url: string, message: object): void {
    if (this.waiting.length >= this.options.maxWaiting) {
      this.waiting.shift();
      this.lost += 1;
    }
    this.waiting.push({ name, url, body: JSON.stringify(message) });
    this.sending ??= this.drain();
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.sending;
  }

  /** Gives up what waits. */
  async close(): Promise<void> {
    this.waiting.length = 0;
    this.stopping.abort();
    await this.sending;
  }

  private async drain(): Promise<void> {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      await this.deliver(next);
    }
    this.sending = undefined;
  }

  private async deliver({ name, url, body }: Waiting): Promise<void> {
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
