/** The part of the store contract on requests with several calls: verdict, charges, failures. */
import type { BucketCall, ChargeDenied, Role } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { ask, askOne, call, daily, request, type StoreHarness } from './contract-form';

/** `+` a call of one hit that its bucket allows, `-` one of three hits that its bucket (limit 2) denies. */
type Verdict = '+' | '-';
type RoleAndVerdict = `${Role}${Verdict}`;

/** Which calls must be charged, by `chargeDenied`: one character a call, x charged, . not. */
interface Row {
  readonly calls: readonly RoleAndVerdict[];
  readonly quotaSatisfied?: boolean;
  readonly none: string;
  readonly over: string;
  readonly all: string;
}

const ROWS: readonly Row[] = [
  { calls: ['hard+', 'hard+'], none: 'xx', over: 'xx', all: 'xx' },
  { calls: ['hard+', 'hard-'], none: '..', over: '.x', all: 'xx' },
  { calls: ['hard-', 'hard+', 'hard-'], none: '...', over: 'x.x', all: 'xxx' },
  { calls: ['hard+', 'shadow-'], none: 'x.', over: '.x', all: 'xx' },
  { calls: ['hard-', 'shadow+'], none: '..', over: 'x.', all: 'xx' },
  { calls: ['shadow-', 'shadow+'], none: '.x', over: 'x.', all: 'xx' },
  { calls: ['quota+', 'quota-'], none: 'x.', over: '.x', all: 'xx' },
  { calls: ['quota-', 'quota-'], none: '..', over: 'xx', all: 'xx' },
  { calls: ['quota-', 'hard+'], none: '..', over: 'x.', all: 'xx' },
  { calls: ['quota-', 'shadow+', 'hard+'], none: '...', over: 'x..', all: 'xxx' },
  { calls: ['quota+', 'quota-', 'hard-'], none: '...', over: '.xx', all: 'xxx' },
  { calls: ['quota-', 'hard+'], quotaSatisfied: true, none: '.x', over: 'x.', all: 'xx' },
  { calls: ['quota-', 'hard-'], quotaSatisfied: true, none: '..', over: 'xx', all: 'xx' },
];

const MODES: readonly ChargeDenied[] = ['none', 'over', 'all'];
const params = daily('fixed_window', 2);

/** Declares the tests. */
export function describeSettlement(harness: () => StoreHarness): void {
  describe.each([
    { slots: 'one group', groupOf: () => 'together' },
    { slots: 'several groups', groupOf: (key: string) => key },
  ])('settles several calls in $slots', ({ groupOf }) => {
    it.each(ROWS.flatMap((row) => MODES.map((mode) => ({ ...row, mode, of: row.calls.join(' ') }))))(
      '$of, charge_denied $mode, quota satisfied $quotaSatisfied',
      async (row) => {
        const { store } = harness();
        const calls = row.calls.map((text, i): BucketCall => {
          const key = `bucket ${i}`;
          const role = text.slice(0, -1) as Role;
          return call(key, params, text.endsWith('+') ? 1 : 3, { group: groupOf(key), role });
        });
        const quotaSatisfied = row.quotaSatisfied ?? false;
        const outcomes = await ask(store, calls, { chargeDenied: row.mode, quotaSatisfied });
        expect(outcomes.map((outcome) => (outcome.allowed ? '+' : '-'))).toEqual(
          row.calls.map((text) => text.at(-1)),
        );

        const charged = [...row[row.mode]].map((mark) => mark === 'x');
        outcomes.forEach((outcome, i) => {
          const takes = outcome.allowed && charged[i] === true;
          expect(outcome.usedBefore).toBe(0);
          expect(outcome.usedAfter).toBe(outcome.allowed ? (takes ? 1 : 0) : 3);
          expect(outcome.remaining).toBe(outcome.allowed ? (takes ? 1 : 2) : 0);
        });
        const used = await Promise.all(calls.map((each) => askOne(store, { ...each, hits: 0 })));
        expect(used.map((outcome) => outcome.usedBefore)).toEqual(
          calls.map((each, i) => (charged[i] === true ? each.hits : 0)),
        );
      },
    );

    it('gives a refund whatever becomes of the request', async () => {
      const { store } = harness();
      const [refunded, denied] = [call('r', params, 2, { group: groupOf('r') }), call('d', params, 3)];
      await askOne(store, refunded);
      await ask(store, [
        { ...refunded, hits: -1 },
        { ...denied, group: groupOf('d') },
      ]);
      expect(await askOne(store, { ...refunded, hits: 0 })).toMatchObject({ usedBefore: 1 });
    });

    it.each([
      { assumeOnFailure: false, used: 0 },
      { assumeOnFailure: true, used: 1 },
    ])(
      'settles the others as if a failed call answered $assumeOnFailure',
      async ({ assumeOnFailure, used }) => {
        for (const hits of [NaN, Infinity, -Infinity, 0.5]) {
          await harness().reset();
          const { store } = harness();
          const good = call('good', params, 1, { group: groupOf('good') });
          const bad = call('bad', params, hits, { group: groupOf('bad'), assumeOnFailure });
          const results = await store.decide(request([good, bad]));
          expect(results[0]).toMatchObject({ allowed: true, usedAfter: used });
          expect(results[1]).toBeInstanceOf(TidegateError);
          expect(await askOne(store, { ...good, hits: 0 })).toMatchObject({ usedBefore: used });
        }
      },
    );

    it('never admits more than the smallest limit to requests at the same time', async () => {
      const { store } = harness();
      const wide = call('wide', daily('token_bucket', 50), 1, { group: groupOf('wide') });
      const narrow = call('narrow', daily('sliding_window', 10), 1, { group: groupOf('narrow') });
      const answers = await Promise.all(Array.from({ length: 40 }, () => ask(store, [wide, narrow])));
      const passed = answers.filter((outcomes) => outcomes.every((outcome) => outcome.allowed)).length;
      expect(passed).toBe(10);
      expect(await askOne(store, { ...narrow, hits: 0 })).toMatchObject({ remaining: 0 });
      expect(await askOne(store, { ...wide, hits: 0 })).toMatchObject({ remaining: 40 });
    });
  });

  describe('the same bucket several times in one request', () => {
    it.each([
      { hits: [2, 2], mode: 'none', verdicts: '++', used: 4 },
      { hits: [3, 3], mode: 'none', verdicts: '+-', used: 0 },
      { hits: [3, 3], mode: 'over', verdicts: '+-', used: 3 },
      { hits: [3, 3], mode: 'all', verdicts: '+-', used: 6 },
      { hits: [6, 1], mode: 'all', verdicts: '--', used: 7 },
      { hits: [6, 1], mode: 'none', verdicts: '-+', used: 0 },
      { hits: [5, 0], mode: 'none', verdicts: '++', used: 5 },
      { hits: [5, -2, 2], mode: 'none', verdicts: '+++', used: 5 },
      { hits: [1, 1, 1, 1, 1], mode: 'none', verdicts: '+++++', used: 5 },
    ] as const)(
      '$hits of 5, charge_denied $mode: $verdicts, $used used',
      async ({ hits, mode, verdicts, used }) => {
        const { store } = harness();
        const five = daily('fixed_window', 5);
        const outcomes = await ask(
          store,
          hits.map((each) => call('k', five, each)),
          { chargeDenied: mode },
        );
        expect(outcomes.map((outcome) => (outcome.allowed ? '+' : '-')).join('')).toBe(verdicts);
        expect(await askOne(store, call('k', five, 0))).toMatchObject({ usedBefore: used });
      },
    );

    it('lets each call see what the ones before it took', async () => {
      const { store } = harness();
      const outcomes = await ask(
        store,
        Array.from({ length: 40 }, (_, i) =>
          call(`k${i % 2}`, daily('sliding_window', 30), 1, { group: 'g' }),
        ),
      );
      expect(outcomes.map((outcome) => outcome.usedBefore)).toEqual(
        Array.from({ length: 40 }, (_, i) => Math.floor(i / 2)),
      );
    });

    it('charges the quota calls that fit', async () => {
      const { store } = harness();
      const quota = call('k', daily('token_bucket', 5), 3, { role: 'quota' });
      const outcomes = await ask(store, [quota, quota]);
      expect(outcomes.map((outcome) => outcome.allowed)).toEqual([true, false]);
      expect(await askOne(store, { ...quota, hits: 0 })).toMatchObject({ remaining: 2 });
    });
  });
}
