import fc from 'fast-check';
import { callFault, requestPasses, settle, settleResults, verdictsOf } from '../../src/bucket/settlement';
import { CHARGE_DENIED, type BucketCall, type BucketOutcome, type Role } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { call, daily, request } from '../store/contract-form';

const params = daily('fixed_window', 5);
const calls = (roles: readonly Role[], hits = 1): BucketCall[] =>
  roles.map((role, i) => call(`k${i}`, params, hits, { role }));

describe('the verdict of a request', () => {
  it.each([
    { roles: [], allowed: [], quotaSatisfied: false, passes: true },
    { roles: ['hard', 'hard'], allowed: [true, true], quotaSatisfied: false, passes: true },
    { roles: ['hard', 'hard'], allowed: [true, false], quotaSatisfied: true, passes: false },
    { roles: ['shadow', 'shadow'], allowed: [false, false], quotaSatisfied: false, passes: true },
    { roles: ['quota', 'quota'], allowed: [false, true], quotaSatisfied: false, passes: true },
    { roles: ['quota', 'quota'], allowed: [false, false], quotaSatisfied: false, passes: false },
    { roles: ['quota', 'quota'], allowed: [false, false], quotaSatisfied: true, passes: true },
    { roles: ['quota', 'hard'], allowed: [true, false], quotaSatisfied: false, passes: false },
    { roles: ['quota', 'hard'], allowed: [false, true], quotaSatisfied: false, passes: false },
  ] as const)('$roles $allowed, quota satisfied $quotaSatisfied: $passes', (row) => {
    expect(requestPasses(calls(row.roles), row.allowed, row.quotaSatisfied)).toBe(row.passes);
  });
});

describe('the charges of a request', () => {
  const roles = fc.array(fc.constantFrom<Role>('hard', 'quota', 'shadow'), { maxLength: 6 });
  const anyRequest = fc.record({
    calls: roles.chain((each) => fc.tuple(...each.map((role) => fc.tuple(fc.constant(role), fc.boolean())))),
    chargeDenied: fc.constantFrom(...CHARGE_DENIED),
    quotaSatisfied: fc.boolean(),
  });

  it('hold their rules whatever is asked', () => {
    fc.assert(
      fc.property(anyRequest, ({ calls: drawn, chargeDenied, quotaSatisfied }) => {
        const allowed = drawn.map(([, verdict]) => verdict);
        const { passes, charged } = settle(
          calls(drawn.map(([role]) => role)),
          allowed,
          chargeDenied,
          quotaSatisfied,
        );
        const anyDenied = allowed.includes(false);
        charged.forEach((is, i) => {
          if (chargeDenied === 'all') expect(is).toBe(true);
          if (chargeDenied === 'over') expect(is).toBe(anyDenied ? allowed[i] === false : true);
          if (chargeDenied === 'none') expect(is).toBe(passes && allowed[i] === true);
        });
      }),
    );
  });

  it('always give refunds', () => {
    for (const chargeDenied of CHARGE_DENIED) {
      const two = [...calls(['hard'], -1), ...calls(['hard'], 1)];
      expect(settle(two, [true, false], chargeDenied, false).charged[0]).toBe(true);
    }
  });

  it('take the assumed verdict for a bucket that could not be asked', () => {
    const outcome: BucketOutcome = {
      allowed: true,
      usedBefore: 0,
      usedAfter: 1,
      remaining: 4,
      resetUs: 0,
      retryAfterUs: 0,
    };
    const failure = new TidegateError('TG_STORE_TIMEOUT', 'late');
    for (const assumeOnFailure of [true, false]) {
      const both = [call('a', params, 1), call('b', params, 1, { assumeOnFailure })];
      expect(verdictsOf(both, [outcome, failure])).toEqual([true, assumeOnFailure]);
      expect(settleResults(request(both), [outcome, failure])).toEqual({
        passes: assumeOnFailure,
        charged: [assumeOnFailure, assumeOnFailure],
      });
    }
  });
});

describe('a call that cannot be asked', () => {
  it.each([NaN, Infinity, -Infinity, 0.5, -1.5])('has %d hits', (hits) => {
    expect(callFault(call('k', params, hits))).toBeInstanceOf(TidegateError);
  });
  it.each([0, -0, 1, -1, 2 ** 64, -(2 ** 64)])('has not %d hits', (hits) => {
    expect(callFault(call('k', params, hits))).toBeUndefined();
  });
});
