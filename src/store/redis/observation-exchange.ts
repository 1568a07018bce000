/**
 * What members saw, over a stream in Redis: each appends its batches, in order; whoever reads takes all since its last
 * position. A batch that is sent again because its reply was lost is known by its sequence. Everything is bounded: what
 * waits to be sent, the stream in bytes and time, and what one reading takes.
 */
import type { ObservationBatch } from '../../core/observation';
import { BatchPacker, BatchUnpacker } from '../../wire/observation-pack';
import type { LuaScript } from './scripts';
import type { SlotCommands } from './slot-commands';

/** The keys of the exchange, of one slot. */
export interface ExchangeKeys {
  readonly log: string;
  readonly size: string;
}

/** Bounds of the exchange. */
export interface ExchangeOptions {
  /** Tells this life of the process from others. */
  readonly run: number;
  /** The stream's, bytes. */
  readonly maxLogBytes: number;
  /** How long batches are kept for who comes later, ms. */
  readonly keepMs: number;
}

/** What went wrong, since the start. */
export interface ExchangeCounts {
  dropped: number;
  doubled: number;
  missing: number;
  unreadable: number;
}

/** Batches between two that say what all classes' numbers stand for: well within the time that batches are kept. */
const KEY_EVERY = 30;
const MAX_WAITING = 120;
const MAX_WAITING_BYTES = 33_554_432;
const MAX_SENT_AT_ONCE = 32;
const READ_AT_ONCE = 64;
const MAX_READS = 64;
const MAX_READ_BYTES = 67_108_864;

/** See the file's head. */
export class ObservationExchange {
  readonly counts: ExchangeCounts = { dropped: 0, doubled: 0, missing: 0, unreadable: 0 };
  private readonly packer: BatchPacker;
  private readonly unpacker = new BatchUnpacker();
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private sinceKey = Infinity;
  private sending: Promise<void> | undefined;
  private position = '0-0';

  constructor(
    private readonly commands: SlotCommands,
    private readonly keys: ExchangeKeys,
    private readonly publishScript: LuaScript,
    private readonly options: ExchangeOptions,
  ) {
    this.packer = new BatchPacker(options.run);
  }

  /** The next batch says what all classes' numbers stand for. */
  sayAllNext(): void {
    this.sinceKey = Infinity;
  }

  /** Keeps a batch until it is sent; beyond the bound the oldest are dropped. */
  publish(batch: ObservationBatch): void {
    const key = this.sinceKey >= KEY_EVERY;
    this.sinceKey = key ? 1 : this.sinceKey + 1;
    const bytes = Buffer.from(this.packer.pack(batch, key));
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    while (
      this.waiting.length > MAX_WAITING ||
      (this.waitingBytes > MAX_WAITING_BYTES && this.waiting.length > 1)
    ) {
      this.waitingBytes -= this.waiting.shift()?.length ?? 0;
      this.counts.dropped += 1;
      // What the dropped one said of numbers is said again.
      this.sayAllNext();
    }
  }

  /** Sends what waits. Rejects with a TidegateError when Redis does not take it; it is kept then. */
  send(): Promise<void> {
    this.sending ??= this.sendAll().finally(() => (this.sending = undefined));
    return this.sending;
  }

  /** What came since the last reading. Rejects with a TidegateError; what was read until then is in `into`. */
  async read(into: ObservationBatch[]): Promise<void> {
    let readBytes = 0;
    for (let read = 0; read < MAX_READS && readBytes < MAX_READ_BYTES; read += 1) {
      const from = after(this.position);
      const reply = await this.commands.send('xrange', [
        this.keys.log,
        from,
        '+',
        'COUNT',
        String(READ_AT_ONCE),
      ]);
      const entries = Array.isArray(reply) ? (reply as unknown[]) : [];
      for (const entry of entries) readBytes += this.take(entry, into);
      if (entries.length < READ_AT_ONCE) return;
    }
  }

  private async sendAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batches = this.waiting.slice(0, MAX_SENT_AT_ONCE);
      const { maxLogBytes, keepMs } = this.options;
      await this.commands.run(
        this.publishScript,
        [this.keys.log, this.keys.size],
        [String(maxLogBytes), String(keepMs), ...batches],
      );
      const sent = new Set(batches);
      this.waiting = this.waiting.filter((one) => !sent.has(one));
      this.waitingBytes = this.waiting.reduce((sum, one) => sum + one.length, 0);
    }
  }

  /** Takes an entry of the stream: its id, and a field with its value. @returns its bytes. */
  private take(entry: unknown, into: ObservationBatch[]): number {
    const [id, fields] = Array.isArray(entry) ? (entry as unknown[]) : [];
    const bytes: unknown = Array.isArray(fields) ? fields[1] : undefined;
    if (!Buffer.isBuffer(id)) return 0;
    this.position = id.toString('latin1');
    if (!Buffer.isBuffer(bytes)) {
      this.counts.unreadable += 1;
      return 0;
    }
    try {
      const unpacked = this.unpacker.unpack(bytes);
      if (unpacked.kind === 'doubled') this.counts.doubled += 1;
      if (unpacked.kind === 'batch') {
        this.counts.missing += unpacked.missing;
        this.counts.unreadable += unpacked.unknownRows;
        into.push(unpacked.batch);
      }
    } catch {
      this.counts.unreadable += 1;
    }
    return bytes.length;
  }
}

/** The smallest id after one: `ms-n`. */
function after(id: string): string {
  const at = id.lastIndexOf('-');
  return `${id.slice(0, at)}-${BigInt(id.slice(at + 1)) + 1n}`;
}
