/** Operations beside decisions on the token buckets of Redis, over connections of their own. */
import { accountFault, transferFault } from '../../bucket/transfer';
import { TidegateError } from '../../core/errors';
import type {
  BucketLevel,
  BucketOperator,
  BucketRef,
  TokenTransfer,
  TransferResult,
} from '../../core/pool-link';
import { toStoreError } from './driver-error';
import { hashSlot } from './hash-slot';
import { readLevels } from './level-reader';
import { makeRouter } from './make-router';
import { type RedisStoreOptions, type RedisSettings, resolveRedisOptions } from './options';
import type { RedisNode } from './redis-node';
import { type BucketPlaces, RedisTransfer } from './redis-transfer';
import type { RedisRouter } from './router';
import { loadAccountScript } from './scripts';
import { SlotCommands } from './slot-commands';
import { storageKey } from './storage-key';

/** What a {@link RedisOperator} is told: as a store over the same buckets, or it finds others. */
export interface RedisOperatorOptions extends RedisStoreOptions {
  /** For one script, ms; default 500. A transfer is up to three, each tried up to three times. */
  readonly timeoutMs?: number;
}

/** Buckets of one slot that are looked at together. */
interface Batch {
  readonly slot: number;
  /** Places among the buckets asked for. */
  readonly places: number[];
}

const DEFAULT_TIMEOUT_MS = 500;
/** Buckets that a node is asked for in one pipeline. */
const PIPELINED = 1_000;
/** Scripts of one look that are under way at a time. */
const MAX_PARALLEL = 64;
const MAX_TRANSFERS = 1_000;
/** Three doubles a bucket, both ways. */
const LEVEL_BYTES = 24;

/** See the file's head. */
export class RedisOperator implements BucketOperator {
  private readonly settings: RedisSettings;
  private readonly router: RedisRouter;
  private readonly timeoutMs: number;
  private readonly scripts = { levels: loadAccountScript('levels'), transfer: loadAccountScript('transfer') };
  private readonly places: BucketPlaces;
  private transfers = 0;

  /** @throws TidegateError TG_SETTINGS_INVALID or TG_SETTINGS_CONFLICT for options that cannot be. */
  constructor(options: RedisOperatorOptions) {
    const settings = resolveRedisOptions(options);
    this.settings = settings;
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.router = makeRouter(settings);
    this.places = {
      keyOf: (bucket) => storageKey(settings.keyPrefix, bucket, settings.slotTags),
      slotOf: (key) => (this.router.slotted ? hashSlot(key) : 0),
      commandsOf: (slot) => new SlotCommands(this.router, slot, this.timeoutMs, 'an operation on buckets'),
      clockArgs: () => this.clockArgs(),
      wait: settings.wait,
    };
  }

  /** Whether there is a connection. */
  ready(): boolean {
    return this.router.ready();
  }

  async levels(buckets: readonly BucketRef[]): Promise<readonly (BucketLevel | TidegateError)[]> {
    const results = buckets.map(
      (bucket): BucketLevel | TidegateError =>
        accountFault(bucket.params) ??
        new TidegateError('TG_STORE_UNAVAILABLE', 'the bucket was not looked at'),
    );
    const left = this.router.slotted ? await this.read(buckets, results) : buckets.keys();
    const waiting = this.batches(buckets, left);
    const look = async (): Promise<void> => {
      for (let batch = waiting.pop(); batch !== undefined; batch = waiting.pop()) {
        await this.look(buckets, batch, results);
      }
    };
    await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, waiting.length) }, look));
    return results;
  }

  async transfer(transfer: TokenTransfer): Promise<TransferResult | TidegateError> {
    const fault = transferFault(transfer);
    if (fault !== undefined) return fault;
    if (this.transfers >= MAX_TRANSFERS) {
      return new TidegateError('TG_STORE_UNAVAILABLE', `${MAX_TRANSFERS} transfers are under way`);
    }
    this.transfers += 1;
    try {
      return await new RedisTransfer(this.places, this.scripts.transfer, transfer).run();
    } catch (thrown) {
      return TidegateError.from(thrown);
    } finally {
      this.transfers -= 1;
    }
  }

  /** Ends the connections; what is under way ends with an error. */
  close(): void {
    this.router.close();
  }

  private batches(buckets: readonly BucketRef[], among: Iterable<number>): Batch[] {
    const open = new Map<number, Batch>();
    const batches: Batch[] = [];
    for (const place of among) {
      const bucket = buckets[place];
      if (bucket === undefined || accountFault(bucket.params) !== undefined) continue;
      const slot = this.places.slotOf(this.places.keyOf(bucket));
      let batch = open.get(slot);
      if (batch === undefined || batch.places.length >= this.settings.maxCallsPerScript) {
        batch = { slot, places: [] };
        open.set(slot, batch);
        batches.push(batch);
      }
      batch.places.push(place);
    }
    return batches;
  }

  /** Reads buckets of many slots node by node. @returns the places of those that have to be asked for by script. */
  private async read(
    buckets: readonly BucketRef[],
    results: (BucketLevel | TidegateError)[],
  ): Promise<readonly number[]> {
    const left: number[] = [];
    const byNode = new Map<RedisNode, { readonly place: number; readonly key: string }[]>();
    buckets.forEach((bucket, place) => {
      if (accountFault(bucket.params) !== undefined) return;
      const key = this.places.keyOf(bucket);
      const node = this.router.nodeFor({ slot: this.places.slotOf(key) });
      if (node === undefined) left.push(place);
      else if (!byNode.get(node)?.push({ place, key })) byNode.set(node, [{ place, key }]);
    });
    const readNode = async (node: RedisNode, all: readonly { place: number; key: string }[]) => {
      for (let from = 0; from < all.length; from += PIPELINED) {
        const part = all.slice(from, from + PIPELINED);
        const asked = part.flatMap(({ place, key }) => {
          const params = buckets[place]?.params;
          return params === undefined ? [] : [{ key, params }];
        });
        const levels = await inTime(readLevels(node, asked, this.settings.timeUs?.() ?? 0), this.timeoutMs);
        part.forEach(({ place }, at) => {
          const level = levels instanceof TidegateError ? levels : levels[at];
          if (level === undefined) left.push(place);
          else results[place] = level;
        });
      }
    };
    await Promise.all(Array.from(byNode, ([node, all]) => readNode(node, all)));
    return left;
  }

  private async look(
    buckets: readonly BucketRef[],
    { slot, places }: Batch,
    results: (BucketLevel | TidegateError)[],
  ): Promise<void> {
    const keys: string[] = [];
    const offered = Buffer.alloc(places.length * LEVEL_BYTES);
    places.forEach((place, i) => {
      const bucket = buckets[place];
      if (bucket === undefined) return;
      keys.push(this.places.keyOf(bucket));
      const { capacity, rateUtPerS, version } = bucket.params;
      [capacity, rateUtPerS, version].forEach((figure, at) =>
        offered.writeDoubleLE(figure, i * LEVEL_BYTES + at * 8),
      );
    });
    const timeUs = String(this.settings.timeUs?.() ?? 0);
    let reply: unknown;
    try {
      reply = await this.places.commandsOf(slot).run(this.scripts.levels, keys, [timeUs, offered]);
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      for (const place of places) results[place] = error;
      return;
    }
    places.forEach((place, i) => (results[place] = levelAt(reply, i)));
  }

  private clockArgs(): string[] {
    const { timeUs, expiryJitterMs } = this.settings;
    // On a clock of tests keys outlive their use by all the jitter.
    const extraMs = timeUs === undefined ? Math.floor(Math.random() * expiryJitterMs) : expiryJitterMs;
    return [String(timeUs?.() ?? 0), String(extraMs)];
  }
}

function levelAt(reply: unknown, i: number): BucketLevel | TidegateError {
  const at = i * LEVEL_BYTES;
  if (!Buffer.isBuffer(reply) || reply.length < at + LEVEL_BYTES || reply.readDoubleLE(at) !== 1) {
    return new TidegateError('TG_STORE_REPLY', 'a key holds something else than a token bucket');
  }
  return { tokens: reply.readDoubleLE(at + 8), capacity: reply.readDoubleLE(at + 16) };
}

/** What a promise gives, or why it did not in time. */
async function inTime<T>(promise: Promise<T>, limitMs: number): Promise<T | TidegateError> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<TidegateError>((resolve) => {
    const error = new TidegateError('TG_STORE_TIMEOUT', `Redis told no levels within ${limitMs} ms`);
    timer = setTimeout(resolve, limitMs, error);
  });
  try {
    return await Promise.race([promise, late]);
  } catch (thrown) {
    return toStoreError(thrown, 'levels of buckets');
  } finally {
    clearTimeout(timer);
  }
}
