/** Where buckets are stored: keys, their slots, and the bytes by which commands name them, worked out once for each bucket's call. */
import type { BucketCall, CallNote } from '../../core/buckets';
import { hashSlot } from './hash-slot';
import type { SlotTags } from './slot-tags';
import { storageKey } from './storage-key';

/** A bucket's place. */
export class StoragePlace implements CallNote {
  /** The key as an argument of a command, one character a byte. */
  readonly argument: string;

  constructor(
    readonly owner: object,
    readonly key: string,
    readonly slot: number,
  ) {
    this.argument = bulkString(key);
  }
}

/** What places depend on. */
export interface StoragePlacesOptions {
  readonly keyPrefix: string;
  readonly slotTags: SlotTags | undefined;
  /** Whether slots matter; all are 0 where they do not. */
  readonly slotted: boolean;
}

/** Finds the places of buckets. */
export class StoragePlaces {
  constructor(private readonly options: StoragePlacesOptions) {}

  /** The place of a call's bucket, which is noted with the call: a call that comes again costs no more. */
  ofCall(call: BucketCall): StoragePlace {
    const { note } = call;
    if (note instanceof StoragePlace && note.owner === this) return note;
    const place = this.of(call);
    call.note = place;
    return place;
  }

  /** The place of a bucket. */
  of(bucket: Pick<BucketCall, 'key' | 'group' | 'params'>): StoragePlace {
    const { keyPrefix, slotTags, slotted } = this.options;
    const key = storageKey(keyPrefix, bucket, slotTags);
    return new StoragePlace(this, key, slotted ? hashSlot(key) : 0);
  }
}

/** An argument of a command (RESP, "Bulk strings"), one character a byte. */
export function bulkString(text: string): string {
  const length = Buffer.byteLength(text);
  const bytes = length === text.length ? text : Buffer.from(text).toString('latin1');
  return `$${length}\r\n${bytes}\r\n`;
}
