/**
 * Hands events of control on to those that listen, as server-sent events. Bounded in every way: listeners, what waits
 * for a slow one, the length of an event, and how many go out a second.
 */
import type { ControlEvent } from '../core/control-desk';
import { TidegateError } from '../core/errors';
import type { ControlEvents } from './deps';

/** The bounds of a feed. */
export interface FeedBounds {
  readonly maxClients: number;
  /** What may wait for one listener before it is let go, bytes. */
  readonly maxWaitingBytes: number;
  /** A longer event goes out without its data. */
  readonly maxEventBytes: number;
  /** Decisions and loans that go out a second; others use up a number and are left out. */
  readonly maxPerS: number;
  /** How often silence is broken, ms. */
  readonly beatMs: number;
  /** How long a listener that is let go has to read the rest, ms. */
  readonly partingMs: number;
}

/** The bounds that the admin port uses. */
export const FEED_BOUNDS: FeedBounds = {
  maxClients: 64,
  maxWaitingBytes: 262_144,
  maxEventBytes: 16_384,
  maxPerS: 200,
  beatMs: 15_000,
  partingMs: 1_000,
};

/** The kinds that come in numbers. */
const FREQUENT: ReadonlySet<ControlEvent['kind']> = new Set(['decision', 'loan']);

/** A response that events are written to. */
export interface EventStream {
  /** What waits to be read, bytes. */
  readonly writableLength: number;
  write(text: string | Uint8Array): unknown;
  end(text: string): unknown;
  destroy(): unknown;
  on(event: 'close' | 'error', listener: () => void): unknown;
}

/** Listens to the source while somebody listens to it. */
export class EventFeed {
  readonly #source: ControlEvents;
  readonly #bounds: FeedBounds;
  readonly #now: () => number;
  readonly #clients = new Set<EventStream>();
  /** Those that were let go and have not read the rest; they still count. */
  readonly #parting = new Map<EventStream, NodeJS.Timeout>();
  #stop: (() => void) | undefined;
  #id = 0;
  #second = NaN;
  #sent = 0;
  #closed = false;

  /** @param now Unix ms. */
  constructor(source: ControlEvents, bounds: FeedBounds = FEED_BOUNDS, now: () => number = Date.now) {
    this.#source = source;
    this.#bounds = bounds;
    this.#now = now;
  }

  /** Who listens, those on their way out included. */
  get size(): number {
    return this.#clients.size + this.#parting.size;
  }

  /**
   * Takes a listener in. @param open writes the head; called only when there is room.
   * @throws TidegateError TG_ADMIN_TOO_MANY.
   */
  admit(stream: EventStream, open: () => void): void {
    if (this.#closed || this.size >= this.#bounds.maxClients) {
      throw new TidegateError('TG_ADMIN_TOO_MANY', `${this.size} clients listen already`);
    }
    open();
    stream.on('close', () => this.#forget(stream));
    stream.on('error', () => this.#forget(stream));
    this.#clients.add(stream);
    stream.write('retry: 2000\n: listening\n\n');
    this.#stop ??= this.#begin();
  }

  /** Lets everybody go. */
  close(): void {
    this.#closed = true;
    for (const stream of [...this.#clients]) this.#part(stream, 'the server closes');
  }

  #begin(): () => void {
    const unsubscribe = this.#source.subscribe((event) => this.#tell(event));
    const beat = setInterval(() => this.#send(': still here\n\n'), this.#bounds.beatMs);
    beat.unref();
    return () => {
      clearInterval(beat);
      unsubscribe();
    };
  }

  #tell(event: ControlEvent): void {
    this.#id += 1;
    if (FREQUENT.has(event.kind) && !this.#hasRoom()) return;
    // JSON has no line breaks of its own, so that one `data` line holds all of it.
    const whole = JSON.stringify(event);
    const data = whole.length <= this.#bounds.maxEventBytes ? whole : JSON.stringify({ ...event, data: {} });
    this.#send(`id: ${this.#id}\nevent: ${event.kind}\ndata: ${data}\n\n`);
  }

  #hasRoom(): boolean {
    const second = Math.floor(this.#now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#sent = 0;
    }
    this.#sent += 1;
    return this.#sent <= this.#bounds.maxPerS;
  }

  #send(text: string): void {
    const bytes = Buffer.from(text);
    for (const stream of [...this.#clients]) {
      if (stream.writableLength + bytes.length > this.#bounds.maxWaitingBytes) this.#part(stream, 'too slow');
      else stream.write(bytes);
    }
  }

  #part(stream: EventStream, why: string): void {
    this.#clients.delete(stream);
    stream.end(`: ${why}\n\n`);
    // What waits for a reader that never reads would otherwise stay in memory.
    const cut = setTimeout(() => stream.destroy(), this.#bounds.partingMs);
    cut.unref();
    this.#parting.set(stream, cut);
    this.#rest();
  }

  #forget(stream: EventStream): void {
    this.#clients.delete(stream);
    clearTimeout(this.#parting.get(stream));
    this.#parting.delete(stream);
    this.#rest();
  }

  #rest(): void {
    if (this.#clients.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }
}
