import fc from 'fast-check';
import { bucketParams } from '../../src/bucket/params';
import { hashSlot } from '../../src/store/redis/hash-slot';
import { SlotTags } from '../../src/store/redis/slot-tags';
import { storageKey } from '../../src/store/redis/storage-key';

const params = bucketParams({ algorithm: 'fixed_window', limit: 5, windowUs: 1_000_000 });
const call = (key: string, group = key) =>
  ({ key, group, params, hits: 1, role: 'hard', assumeOnFailure: true }) as const;
const longKey = fc.string({ minLength: 257, maxLength: 600 });

describe('the storage key of a bucket with a long key', () => {
  it.each([undefined, new SlotTags(8)])('is short, whatever the caller sends', (tags) => {
    expect(storageKey('p:', call('x'.repeat(900_000)), tags).length).toBeLessThan(256);
    expect(storageKey('p:', call('x'.repeat(900_000), 'd'.repeat(900_000)), tags).length).toBeLessThan(512);
  });

  it('differs for keys that differ, also only at their ends or in their length', () => {
    fc.assert(
      fc.property(longKey, longKey, (a, b) => {
        fc.pre(a !== b);
        expect(storageKey('p:', call(a))).not.toBe(storageKey('p:', call(b)));
      }),
    );
    const base = 'k'.repeat(300);
    expect(
      new Set([base, `${base}k`, `${base}l`, `l${base}`].map((key) => storageKey('p:', call(key)))).size,
    ).toBe(4);
  });

  it('is the same for the same key, and shares the slot of its group', () => {
    fc.assert(
      fc.property(longKey, longKey, longKey, (group, a, b) => {
        expect(storageKey('p:', call(a, group))).toBe(storageKey('p:', call(a, group)));
        expect(hashSlot(storageKey('p:', call(a, group)))).toBe(hashSlot(storageKey('p:', call(b, group))));
      }),
    );
  });
});
