import { bucketParams } from '../../src/bucket/params';
import { Lease } from '../../src/bucket/lease';
import { gatheringMs } from '../../src/bucket/lease-denial';
import { LeaseDemand } from '../../src/bucket/lease-demand';
import type { BucketRequest } from '../../src/core/buckets';
import { WaitingCalls } from '../../src/store/leased/waiting-calls';

const TERMS = { epsilon: 0.05, ttlMs: 1_000, idleMs: 200 };
const PARAMS = bucketParams({
  algorithm: 'token_bucket',
  limit: 1_000,
  windowUs: 1_000_000,
  capacity: 1_000,
  version: 0,
});
const request = (deadlineMs: number): BucketRequest => ({
  calls: [],
  chargeDenied: 'none',
  quotaSatisfied: false,
  deadlineMs,
});

describe('calls that wait for an ask', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test.each([
    ['half of a short deadline', [4], [[2, 2]]],
    ['5 ms of a long one', [100], [[5, 95]]],
    [
      'half of a short deadline also behind a long one',
      [100, 4],
      [
        [2, 2],
        [5, 95],
      ],
    ],
    [
      '5 ms of a long one also behind a short one',
      [4, 100],
      [
        [2, 2],
        [5, 95],
      ],
    ],
  ])('are decided after %s, with what is left of it', async (_, deadlinesMs, decided) => {
    const seen: number[][] = [];
    const startMs = performance.now();
    const lease = new Lease('k', 'k', PARAMS, TERMS, 0, {});
    const waiting = new WaitingCalls(
      (_lease, { deadlineMs }) => {
        seen.push([performance.now() - startMs, deadlineMs]);
        return [];
      },
      () => performance.now(),
      true,
    );
    for (const deadlineMs of deadlinesMs) waiting.add(lease, request(deadlineMs), startMs);
    await jest.advanceTimersByTimeAsync(20);
    expect(seen).toEqual(decided);
    expect(jest.getTimerCount()).toBe(0);
  });
});

test('a bucket that nothing refills is not left alone for what gathers', () => {
  const demand = new LeaseDemand(TERMS.idleMs, 0);
  for (let calls = 0; calls < 100; calls += 1) demand.arrived(1);
  demand.measure(10);
  const none = bucketParams({
    algorithm: 'token_bucket',
    limit: 0,
    windowUs: 1_000_000,
    capacity: 0,
    version: 0,
  });
  expect(gatheringMs(none, demand)).toBe(0);
  expect(gatheringMs(PARAMS, demand)).toBeGreaterThan(0);
});
