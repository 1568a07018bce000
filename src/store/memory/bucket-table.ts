/**
 * Buckets in columns: a bucket is a slot, an index into a few arrays, found through a map by key. A million buckets are
 * then a million keys and map entries, not a million objects. The arrays double as they fill and stay within the bound.
 */
import type { BucketParams } from '../../core/buckets';

const INITIAL_SLOTS = 1_024;
const NO_SLOT = -1;

/** Keys to slots, of one algorithm and window length: buckets that differ in these are different buckets. */
type Directory = Map<string, number>;

/** A bounded table of buckets whose state is two numbers and, with a `ringLength`, that many more. */
export class BucketTable {
  /** The first number of each slot's state: micro-tokens, or a window's start or newest index. */
  first = new Float64Array(0);
  /** The second one: the time of the last refill, or a count. */
  second = new Float64Array(0);
  /** `ringLength` numbers a slot. */
  rings = new Float64Array(0);
  private readonly params: (BucketParams | undefined)[] = [];
  private readonly keys: (string | undefined)[] = [];
  private readonly directories = new Map<string, Map<number, Directory>>();
  /** The first of the free slots; each names the next in `first`. */
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
    return this.keys.length;
  }

  /** @returns the slot of a bucket, or -1. */
  find(params: BucketParams, key: string): number {
    return this.directories.get(params.algorithm)?.get(windowOf(params))?.get(key) ?? NO_SLOT;
  }

  paramsOf(slot: number): BucketParams | undefined {
    return this.params[slot];
  }

  setParams(slot: number, params: BucketParams): void {
    this.params[slot] = params;
  }

  /** Takes a slot for a bucket that has none. The caller has made room: the table must not be full. */
  insert(params: BucketParams, offeredKey: string): number {
    const key = compact(offeredKey);
    const slot = this.takeSlot();
    this.params[slot] = params;
    this.keys[slot] = key;
    this.directoryFor(params).set(key, slot);
    this.count += 1;
    this.keyChars += key.length;
    return slot;
  }

  /** Forgets the bucket in a live slot. */
  remove(slot: number): void {
    const params = this.params[slot];
    const key = this.keys[slot];
    if (params === undefined || key === undefined) return;
    const windows = this.directories.get(params.algorithm);
    const directory = windows?.get(windowOf(params));
    directory?.delete(key);
    if (directory?.size === 0) windows?.delete(windowOf(params));
    this.params[slot] = undefined;
    this.keys[slot] = undefined;
    this.first[slot] = this.freeSlot;
    this.freeSlot = slot;
    this.count -= 1;
    this.keyChars -= key.length;
  }

  private takeSlot(): number {
    const slot = this.freeSlot;
    if (slot === NO_SLOT) {
      if (this.slots === this.first.length) this.grow();
      this.params.push(undefined);
      this.keys.push(undefined);
      return this.slots - 1;
    }
    this.freeSlot = this.first[slot] ?? NO_SLOT;
    return slot;
  }

  private grow(): void {
    const length = Math.min(this.maxBuckets, Math.max(INITIAL_SLOTS, this.first.length * 2));
    this.first = grown(this.first, length);
    this.second = grown(this.second, length);
    this.rings = grown(this.rings, length * this.ringLength);
  }

  private directoryFor(params: BucketParams): Directory {
    let windows = this.directories.get(params.algorithm);
    if (windows === undefined)
      this.directories.set(params.algorithm, (windows = new Map<number, Directory>()));
    let directory = windows.get(windowOf(params));
    if (directory === undefined) windows.set(windowOf(params), (directory = new Map<string, number>()));
    return directory;
  }
}

/** A token bucket stays the same bucket when its window changes: only its rate does. */
function windowOf(params: BucketParams): number {
  return params.algorithm === 'token_bucket' ? 0 : params.windowUs;
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
