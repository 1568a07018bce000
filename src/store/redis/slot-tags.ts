/**
 * Hash tags that many buckets share, so that one script call settles all buckets of a tag that are asked for together,
 * while the tags lie evenly over a cluster's slots, and with them over its nodes. A bucket's tag is that of the stretch of
 * slots which its own hash falls into: every Tidegate finds the same one, without keeping a list.
 *
 * The trade: more tags spread load more finely, fewer make more of one call's buckets meet.
 */
import { hashSlot, SLOT_COUNT } from './hash-slot';

/** Finds the shared tag of a bucket. */
export class SlotTags {
  private readonly tags: readonly string[];

  /** @param count how many tags, 1 to 1,024. */
  constructor(count: number) {
    this.tags = Array.from({ length: count }, (_, index) => tagWithin(index, count));
  }

  /** The tag of a bucket's key, without braces. */
  tagOf(key: string): string {
    return this.tags[Math.floor((hashSlot(key) * this.tags.length) / SLOT_COUNT)] ?? '';
  }
}

/** The first short text whose slot lies in a stretch: found by trying, since CRC16 spreads short texts over all slots. */
function tagWithin(index: number, count: number): string {
  for (let attempt = 0; ; attempt += 1) {
    const tag = `${index}.${attempt.toString(36)}`;
    if (Math.floor((hashSlot(tag) * count) / SLOT_COUNT) === index) return tag;
  }
}
