/**
 * Buckets in columns: a bucket is a slot, an index into a few arrays, found through a map by key, or by who asks
 * again and remembers the slot. A million buckets are then a million keys and map entries, not a million objects. The arrays
 * double as they fill and stay within the bound.
 */
import type { BucketParams } from '../../core/buckets';

/** Numbers of state a slot. */
export const STATE_LENGTH = 2;
const INITIAL_SLOTS = 1_024;
const NO_SLOT = -1;

/** Keys to slots, of one algorithm and window length: buckets that differ in these are different buckets. */
type Directory = Map<string, number>;

/** A bounded table of buckets whose state is two numbers and, with a `ringLength`, that many more. */
export class BucketTable {
  /**
   * Two numbers a slot, side by side so that both come with one line of the processor's cache: micro-tokens and the time of the
   * last refill, or a window's start or newest index and a count.
   */
  state = new Float64Array(0);
  /** `ringLength` numbers a slot. */
  rings = new Float64Array(0);
  /** Key and parameters of each slot, side by side for the same reason; undefined where it is free. */
  private readonly holders: (string | BucketParams | undefined)[] = [];
  private readonly tokenBuckets: Directory = new Map();
  private readonly windows = new Map<string, Map<number, Directory>>();
  /** The first of the free slots; each names the next in its state. */
  private freeSlot = NO_SLOT;
  /** Live buckets. */
  count = 0;
  /** The length of all keys. */
  keyChars = 0;

  constructor(
    readonly maxBuckets: number,
    readonly ringLength: number,
  ) {}

  /** Slots ever used; each is live or free. */
  get slots(): number {
    return this.holders.length / 2;
  }

  /**
   * @param guess a slot that may be the bucket's.
   * @returns the slot of a bucket, or -1.
   */
  find(params: BucketParams, key: string, guess = NO_SLOT): number {
    if (guess !== NO_SLOT && this.holders[2 * guess] === key) {
      const held = this.paramsOf(guess);
      if (held !== undefined && isOneBucket(held, params)) return guess;
    }
    return this.directoryOf(params)?.get(key) ?? NO_SLOT;
  }

  paramsOf(slot: number): BucketParams | undefined {
    return this.holders[2 * slot + 1] as BucketParams | undefined;
  }

  setParams(slot: number, params: BucketParams): void {
    this.holders[2 * slot + 1] = params;
  }

  /**
   * Takes a slot for a bucket that has none. The caller has made room: the table must not be full.
   * @param isFlat the key is a string of its own that holds nothing else alive, and is not copied.
   */
  insert(params: BucketParams, offeredKey: string, isFlat: boolean): number {
    const key = isFlat ? offeredKey : compact(offeredKey);
    const slot = this.takeSlot();
    this.hold(slot, key, params);
    this.directoryFor(params).set(key, slot);
    this.count += 1;
    this.keyChars += key.length;
    return slot;
  }

  /** Forgets the bucket in a live slot. */
  remove(slot: number): void {
    const params = this.paramsOf(slot);
    const key = this.holders[2 * slot] as string | undefined;
    if (params === undefined || key === undefined) return;
    const directory = this.directoryOf(params);
    directory?.delete(key);
    if (directory?.size === 0) this.windows.get(params.algorithm)?.delete(params.windowUs);
    this.hold(slot, undefined, undefined);
    this.state[slot * STATE_LENGTH] = this.freeSlot;
    this.freeSlot = slot;
    this.count -= 1;
    this.keyChars -= key.length;
  }

  private hold(slot: number, key: string | undefined, params: BucketParams | undefined): void {
    this.holders[2 * slot] = key;
    this.holders[2 * slot + 1] = params;
  }

  private takeSlot(): number {
    const slot = this.freeSlot;
    if (slot === NO_SLOT) {
      if (this.slots * STATE_LENGTH === this.state.length) this.grow();
      this.holders.push(undefined, undefined);
      return this.slots - 1;
    }
    this.freeSlot = this.state[slot * STATE_LENGTH] ?? NO_SLOT;
    return slot;
  }

  private grow(): void {
    const length = Math.min(this.maxBuckets, Math.max(INITIAL_SLOTS, this.slots * 2));
    this.state = grown(this.state, length * STATE_LENGTH);
    this.rings = grown(this.rings, length * this.ringLength);
  }

  private directoryOf(params: BucketParams): Directory | undefined {
    if (params.algorithm === 'token_bucket') return this.tokenBuckets;
    return this.windows.get(params.algorithm)?.get(params.windowUs);
  }

  private directoryFor(params: BucketParams): Directory {
    const known = this.directoryOf(params);
    if (known !== undefined) return known;
    let windows = this.windows.get(params.algorithm);
    if (windows === undefined) this.windows.set(params.algorithm, (windows = new Map<number, Directory>()));
    const directory: Directory = new Map();
    windows.set(params.windowUs, directory);
    return directory;
  }
}

/** A token bucket stays the same bucket when its window changes: only its rate does. */
function isOneBucket(held: BucketParams, params: BucketParams): boolean {
  if (held === params) return true;
  if (held.algorithm !== params.algorithm) return false;
  return params.algorithm === 'token_bucket' || held.windowUs === params.windowUs;
}

/**
 * A copy of the key as one flat string. A key made by concatenation keeps its parts' header alive, one cut from a longer
 * text keeps all of that text. Text that is not valid UTF-16 does not survive the copying and is kept as it is.
 */
function compact(key: string): string {
  const copy = Buffer.from(key, 'utf8').toString('utf8');
  return copy === key ? copy : key;
}

function grown(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length);
  larger.set(array);
  return larger;
}
