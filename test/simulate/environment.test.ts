/** The environment: requests and tokens are conserved, the queue goes first, and what is let in never passes the total. */
import fc from 'fast-check';
import { newTokenBucket, evaluateTokenBucket } from '../../src/bucket/token-bucket';
import { microTokens } from '../../src/bucket/fixed-point';
import { PoolEnvironment } from '../../src/simulate/environment';

const NO_WAITS = { add: () => undefined };

function environment(limits: readonly number[], rates: readonly number[], capacities: readonly number[]) {
  return new PoolEnvironment(limits, rates, capacities, 1_000, NO_WAITS);
}

function tick(env: PoolEnvironment, arrivals: readonly number[]): void {
  env.begin();
  env.pass(arrivals);
}

describe('a service with a bucket and a queue', () => {
  test('serves from the bucket and the refill, queues what its queue holds, drops the rest', () => {
    const env = environment([20], [10], [10]);
    tick(env, [50]);
    expect([env.served[0], env.queued[0], env.dropped[0], env.delayed[0]]).toEqual([20, 20, 10, 20]);
  });

  test('serves who waits before who comes, and tells how long they waited', () => {
    const waits: [number, number][] = [];
    const env = new PoolEnvironment([20], [10], [10], 1_000, { add: (ticks, n) => waits.push([ticks, n]) });
    tick(env, [30]);
    waits.length = 0;
    tick(env, [5]);
    expect(waits).toEqual([[1, 10]]);
    expect(env.queued[0]).toBe(5);
  });

  test('lets who waits in as soon as tokens are moved to it', () => {
    const env = environment([20, 20], [10, 10], [10, 10]);
    tick(env, [30, 0]);
    env.begin();
    expect(env.move(1, 0, 8, 2)).toBe(8);
    expect([env.served[0], env.queued[0], env.tokens[0], env.tokens[1]]).toEqual([8, 2, 0, 2]);
  });

  test('moves no more than is over what the lender keeps, nor than fits', () => {
    const env = environment([0, 0], [10, 10], [10, 10]);
    tick(env, [14, 0]);
    env.begin();
    expect(env.move(1, 0, 100, 7)).toBe(3);
    expect(env.move(1, 0, 100, 7)).toBe(0);
    expect(env.move(1, 0, 100, 0)).toBe(1);
    expect(env.move(0, 0, 1, 0)).toBe(0);
  });

  test('a smaller bucket is cut, a larger one is not filled', () => {
    const env = environment([0], [0], [10]);
    env.limit(0, 5, 4);
    expect(env.tokens[0]).toBe(4);
    env.limit(0, 5, 40);
    expect(env.tokens[0]).toBe(4);
  });
});

test('a tick lets in what the token bucket does when its requests come one after another', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      // A bucket of one token overflows while the half of a request waits: whole requests are no flow there.
      fc.integer({ min: 2, max: 60 }),
      fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 12 }),
      (rate, capacity, counts) => {
        const env = environment([0], [rate], [capacity]);
        const algorithm = 'token_bucket' as const;
        const rateUtPerS = microTokens(rate);
        const params = { algorithm, limit: rate, windowUs: 1_000_000, capacity, rateUtPerS, version: 0 };
        const bucket = newTokenBucket(params, 0);
        let flow = 0;
        let single = 0;
        counts.forEach((count, second) => {
          tick(env, [count]);
          flow += env.served[0]!;
          for (let n = 0; n < count; n += 1) {
            const atUs = Math.floor((second + (n + 1) / count) * 1_000_000);
            if (evaluateTokenBucket(bucket, params, 1, atUs, 'allowed').allowed) single += 1;
          }
        });
        // A second's last token and the part of one that is not whole yet.
        expect(Math.abs(flow - single)).toBeLessThanOrEqual(1 + counts.length);
      },
    ),
  );
});

test('requests are conserved, and what is let in since any tick is at most total x time and the capacities then', () => {
  const service = fc.record({
    rate: fc.integer({ min: 0, max: 50 }),
    capacity: fc.integer({ min: 1, max: 80 }),
    queue: fc.integer({ min: 0, max: 60 }),
  });
  const step = fc.record({
    arrivals: fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 3, maxLength: 3 }),
    move: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(60), fc.nat(20)),
    resize: fc.option(fc.tuple(fc.nat(2), fc.nat(80))),
  });
  fc.assert(
    fc.property(
      fc.array(service, { minLength: 3, maxLength: 3 }),
      fc.array(step, { minLength: 1, maxLength: 40 }),
      (services, steps) => {
        const env = environment(
          services.map(({ queue }) => queue),
          services.map(({ rate }) => rate),
          services.map(({ capacity }) => capacity),
        );
        const total = services.reduce((sum, { rate }) => sum + rate, 0);
        const sum = (figures: Float64Array): number => figures.reduce((all, one) => all + one, 0);
        let [came, went, lost] = [0, 0, 0];
        let most = -Infinity;
        for (const { arrivals, move, resize } of steps) {
          if (resize !== null) env.limit(resize[0], services[resize[0]]!.rate, resize[1]);
          most = Math.max(most, -sum(env.capacities));
          env.begin();
          const before = sum(env.tokens) - sum(env.served);
          env.move(...move);
          expect(sum(env.tokens)).toBeCloseTo(before - sum(env.served) + 0, 6);
          env.pass(arrivals);
          came += sum(env.arrived);
          went += sum(env.served);
          lost += sum(env.dropped);
          most += sum(env.served) - total;
          expect(most).toBeLessThanOrEqual(1e-6);
          expect(went + lost + sum(env.queued)).toBeCloseTo(came, 6);
          env.queued.forEach((queued, at) => expect(queued).toBeLessThanOrEqual(services[at]!.queue + 1e-9));
        }
      },
    ),
  );
});
