import fc from 'fast-check';
import { hashSlot, SLOT_COUNT } from '../../src/store/redis/hash-slot';
import { SlotTags } from '../../src/store/redis/slot-tags';
import { storageKey } from '../../src/store/redis/storage-key';
import { bucketParams } from '../../src/bucket/params';

const params = bucketParams({ algorithm: 'token_bucket', limit: 5, windowUs: 1_000_000 });
const call = (key: string, group = key) =>
  ({ key, group, params, hits: 1, role: 'hard', assumeOnFailure: true }) as const;

describe('shared hash tags', () => {
  it.each([1, 3, 48, 96, 1_024])('lie one in each of %i equal stretches of the slots', (count) => {
    const tags = new SlotTags(count);
    const stretches = new Set<number>();
    for (let index = 0; index < 40 * count; index += 1) {
      const slot = hashSlot(storageKey('p:', call(`d|k=${index}`), tags));
      stretches.add(Math.floor((slot * count) / SLOT_COUNT));
    }
    expect(stretches.size).toBe(count);
  });

  it('keep a bucket in the stretch where its own hash lies, so that nodes carry what they would carry anyway', () => {
    const tags = new SlotTags(12);
    fc.assert(
      fc.property(fc.string(), (key) => {
        const own = Math.floor((hashSlot(key) * 12) / SLOT_COUNT);
        expect(Math.floor((hashSlot(tags.tagOf(key)) * 12) / SLOT_COUNT)).toBe(own);
      }),
    );
  });

  it('are never empty and hold no brace, which would make another tag of them', () => {
    const tags = new SlotTags(1_024);
    for (let index = 0; index < 10_000; index += 1) expect(tags.tagOf(`${index}`)).toMatch(/^[0-9a-z.]+$/);
  });

  it('still keep every two buckets apart', () => {
    const tags = new SlotTags(2);
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        fc.pre(a !== b);
        expect(storageKey('p:', call(a), tags)).not.toBe(storageKey('p:', call(b), tags));
      }),
    );
  });

  it('leave buckets that are grouped already where their group is', () => {
    expect(storageKey('p:', call('k', 'domain'), new SlotTags(4))).toBe(
      storageKey('p:', call('k', 'domain')),
    );
  });
});
