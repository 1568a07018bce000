/** What operations on buckets are held to, whatever the store. */
import fc from 'fast-check';
import { bucketParams } from '../../src/bucket/params';
import type { BucketParams, BucketStore } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import type {
  BucketLevel,
  BucketOperator,
  BucketRef,
  TokenTransfer,
  TransferResult,
} from '../../src/core/pool-link';
import { askOne, call } from './contract-form';

/** A store and its operator, on one clock that only the test moves. */
export interface OperatorHarness {
  readonly store: BucketStore;
  readonly operator: BucketOperator;
  advance(us: number): void;
}

let names = 0;
/** A name that no other test's buckets have. */
export function unique(): string {
  names += 1;
  return `run ${names}`;
}

/** A token bucket that does not refill, in a slot of its own unless it is given a group. */
export function bucket(
  key: string,
  more: Partial<BucketParams> & { readonly group?: string } = {},
): BucketRef {
  const { group = key, ...figures } = more;
  const params = bucketParams({
    algorithm: 'token_bucket',
    limit: 10,
    windowUs: 1_000_000,
    rateUtPerS: 0,
    ...figures,
  });
  return { key, group, params };
}

/** Takes tokens, or gives them where negative. */
export async function take({ store }: OperatorHarness, ref: BucketRef, tokens: number): Promise<boolean> {
  const outcome = await askOne(store, call(ref.key, ref.params, tokens, { group: ref.group }));
  return outcome.allowed;
}

/** What came of a transfer that could be asked. */
export async function moved(
  { operator }: Pick<OperatorHarness, 'operator'>,
  transfer: TokenTransfer,
): Promise<TransferResult> {
  const result = await operator.transfer(transfer);
  if (result instanceof TidegateError) throw result;
  return result;
}

/** Levels of buckets that can be looked at. */
export async function levelsOf(
  { operator }: Pick<OperatorHarness, 'operator'>,
  refs: readonly BucketRef[],
): Promise<BucketLevel[]> {
  return (await operator.levels(refs)).map((level) => {
    if (level instanceof TidegateError) throw level;
    return level;
  });
}

/** Tokens of buckets. */
export async function tokensOf(
  harness: Pick<OperatorHarness, 'operator'>,
  refs: readonly BucketRef[],
): Promise<number[]> {
  return (await levelsOf(harness, refs)).map(({ tokens }) => tokens);
}

const sum = (figures: readonly number[]): number => figures.reduce((total, each) => total + each, 0);

/** The suite. */
export function describeOperator(what: string, harness: () => OperatorHarness): void {
  describe(`operations on buckets: ${what}`, () => {
    describe.each([{ together: false }, { together: true }])('of one group: $together', ({ together }) => {
      const pair = (): readonly [BucketRef, BucketRef] => {
        const name = unique();
        const more = together ? { group: name } : {};
        return [bucket(`${name} lender`, more), bucket(`${name} borrower`, more)];
      };

      test.each([
        { taken: [0, 10], tokens: 4, keep: 0, after: [6, 4] },
        { taken: [0, 10], tokens: 4, keep: 7, after: [7, 3] },
        { taken: [0, 10], tokens: 4_294_967_295, keep: 0, after: [0, 10] },
        { taken: [0, 10], tokens: 4, keep: 6.5, after: [7, 3] },
        { taken: [4, 10], tokens: 4, keep: 6, after: [6, 0] },
        { taken: [4, 10], tokens: 4, keep: 8, after: [6, 0] },
        { taken: [2, 3], tokens: 8, keep: 0, after: [5, 10] },
        { taken: [2, 0], tokens: 8, keep: 0, after: [8, 10] },
        { taken: [10, 10], tokens: 1, keep: 0, after: [0, 0] },
        { taken: [0, 10], tokens: 0, keep: 0, after: [10, 0] },
      ])(
        'moves $tokens keeping $keep after $taken were taken: $after',
        async ({ taken, tokens, keep, after }) => {
          const h = harness();
          const refs = pair();
          const [from, to] = refs;
          await take(h, from, taken[0] ?? 0);
          await take(h, to, taken[1] ?? 0);
          const [before] = await tokensOf(h, refs);
          const result = await moved(h, { id: 't', from, to, tokens, keep });
          expect(result).toEqual({ moved: (before ?? 0) - (after[0] ?? 0), lost: 0 });
          expect(await tokensOf(h, refs)).toEqual(after);
        },
      );

      test('moves once by an id, and answers as the first time did', async () => {
        const h = harness();
        const refs = pair();
        const [from, to] = refs;
        await take(h, to, 7);
        const transfer = { id: 'once', from, to, tokens: 9, keep: 0 };
        const first = await moved(h, transfer);
        expect(first).toEqual({ moved: 7, lost: 0 });
        await take(h, to, 10);
        for (let i = 0; i < 3; i += 1) expect(await moved(h, transfer)).toEqual(first);
        expect(await tokensOf(h, refs)).toEqual([3, 0]);
        expect(await moved(h, { ...transfer, id: 'another' })).toEqual({ moved: 3, lost: 0 });
      });

      test('counts the refill of both, and keeps what they earned', async () => {
        const h = harness();
        const refs = pair().map((ref) => ({ ...ref, params: { ...ref.params, rateUtPerS: 1_000_000 } }));
        const [from, to] = refs as [BucketRef, BucketRef];
        await take(h, from, 10);
        await take(h, to, 10);
        h.advance(4_500_000);
        expect(await moved(h, { id: 't', from, to, tokens: 9, keep: 1 })).toEqual({ moved: 3, lost: 0 });
        expect(await tokensOf(h, refs)).toEqual([1, 7]);
        h.advance(500_000);
        expect(await tokensOf(h, refs)).toEqual([2, 8]);
      });

      test('is conserved over any sequence of transfers, replays, takes and refunds', async () => {
        const h = harness();
        const act = fc.record({
          what: fc.constantFrom('take', 'give', 'move', 'move', 'move', 'again'),
          a: fc.nat({ max: 3 }),
          b: fc.nat({ max: 3 }),
          tokens: fc.integer({ min: 0, max: 14 }),
          keep: fc.integer({ min: 0, max: 6 }),
        });
        await fc.assert(
          fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
            const name = unique();
            const refs = [8, 10, 12, 1].map((capacity, i) =>
              bucket(`${name} ${i}`, { capacity, ...(together ? { group: name } : {}) }),
            );
            const done: [TokenTransfer, TransferResult][] = [];
            let expected = 31;
            for (const { what: kind, a, b, tokens, keep } of acts) {
              const [from, to] = [refs[a], refs[b]];
              if (from === undefined || to === undefined) continue;
              if (kind === 'take') {
                if (await take(h, from, tokens)) expected -= tokens;
              } else if (kind === 'give') {
                const [level] = await levelsOf(h, [from]);
                await take(h, from, -tokens);
                expected += Math.min(tokens, (level?.capacity ?? 0) - (level?.tokens ?? 0));
              } else if (kind === 'move' && a !== b) {
                const transfer = { id: `${done.length}`, from, to, tokens, keep };
                const result = await moved(h, transfer);
                done.push([transfer, result]);
                expected -= result.lost;
              } else if (kind === 'again') {
                const [transfer, result] = done[tokens % Math.max(1, done.length)] ?? [];
                if (transfer !== undefined) expect(await moved(h, transfer)).toEqual(result);
              }
              const levels = await levelsOf(h, refs);
              expect(sum(levels.map((level) => level.tokens))).toBe(expected);
              expect(levels.every((level) => level.tokens >= 0 && level.tokens <= level.capacity)).toBe(true);
            }
          }),
          { numRuns: 40 },
        );
      });
    });

    test('looks at many buckets, in order, and changes none', async () => {
      const h = harness();
      const name = unique();
      const refs = Array.from({ length: 150 }, (_, i) => bucket(`${name} ${i}`, { capacity: i }));
      for (const [i, ref] of refs.entries()) if (i % 50 === 3) await take(h, ref, 2);
      const expected = refs.map((_, i) => ({ tokens: i % 50 === 3 ? i - 2 : i, capacity: i }));
      expect(await levelsOf(h, refs)).toEqual(expected);
      const newer = refs.map((ref) => ({ ...ref, params: { ...ref.params, capacity: 1, version: 9 } }));
      const capacities = (await levelsOf(h, newer)).map(({ capacity }) => capacity);
      expect(new Set(capacities)).toEqual(new Set([1]));
      expect(await levelsOf(h, refs)).toEqual(expected);
      expect(await levelsOf(h, [])).toEqual([]);
    });

    test('goes by the newest parameters that a bucket has seen', async () => {
      const h = harness();
      const name = unique();
      const [from, to] = [bucket(`${name} a`, { version: 5 }), bucket(`${name} b`)];
      await take(h, from, 1);
      await take(h, to, 10);
      const older = bucket(from.key, { capacity: 2, version: 4 });
      expect(await moved(h, { id: 't', from: older, to, tokens: 9, keep: 0 })).toEqual({ moved: 9, lost: 0 });
      const newer = bucket(to.key, { capacity: 4, version: 6 });
      expect(await levelsOf(h, [newer])).toEqual([{ tokens: 4, capacity: 4 }]);
    });

    const good = { id: 't', from: bucket('good a'), to: bucket('good b'), tokens: 1, keep: 0 };
    const window = {
      ...bucket('good w'),
      params: bucketParams({ algorithm: 'fixed_window', limit: 5, windowUs: 1_000 }),
    };
    test.each<[string, Partial<TokenTransfer>]>([
      ['tokens that are not whole', { tokens: 0.5 }],
      ['negative tokens', { tokens: -1 }],
      ['tokens beyond 32 bits', { tokens: 2 ** 32 }],
      ['NaN', { tokens: NaN }],
      ['keeping NaN', { keep: NaN }],
      ['keeping less than nothing', { keep: -0.5 }],
      ['no id', { id: '' }],
      ['a long id', { id: 'x'.repeat(257) }],
      ['one bucket twice', { to: good.from }],
      ['a window as lender', { from: window }],
      ['a window as borrower', { to: window }],
    ])('refuses %s, and moves nothing', async (_what, wrong) => {
      const h = harness();
      const result = await h.operator.transfer({ ...good, ...wrong });
      expect(result).toMatchObject({ code: 'TG_CONTROL_BAD_TRANSFER' });
      expect(await tokensOf(h, [good.from, good.to])).toEqual([10, 10]);
    });

    test('answers an error in the place of a bucket that has no tokens', async () => {
      const levels = await harness().operator.levels([window, good.from]);
      expect(levels).toEqual([
        expect.objectContaining({ code: 'TG_CONTROL_BAD_TRANSFER' }),
        { tokens: 10, capacity: 10 },
      ]);
    });
  });
}
