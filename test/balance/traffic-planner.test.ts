import type { TargetHealth, TargetSeen } from '../../src/core/traffic';
import { pair, Run, SMALL_PER_S, START_MS, uneven } from './traffic-run';
import { fullBucket, group, health, seenGroup, seenTarget, target } from './traffic-samples';

const forecast = (upperPerS: number, over = {}) => ({
  madeAtMs: START_MS,
  meanPerS: Math.min(upperPerS, 40),
  upperPerS,
  anomalous: false,
  ...over,
});

describe('what a group will be asked for', () => {
  test('is its targets together, wherever the traffic goes', () => {
    const decision = new Run(pair).for(30, uneven(100, 20));
    expect(decision.targets.map(({ configuredDemandPerS }) => configuredDemandPerS)).toEqual([60, 60]);
  });

  test('counts an unknown target by its part', () => {
    const decision = new Run(group([target('a', 3), target('b', 1)])).for(20, (nowMs) =>
      seenGroup([seenTarget('a', nowMs, 30)]),
    );
    expect(decision.targets[1]?.configuredDemandPerS).toBeCloseTo(10, 6);
  });

  test.each<[string, TargetSeen['forecast'], number]>([
    ['a forecast above it counts', forecast(80), 160],
    ['a forecast under it does not', forecast(10), 100],
    ['nor one of an odd class', forecast(80, { anomalous: true }), 100],
    ['nor one that is late', forecast(80, { madeAtMs: START_MS - 400_000 }), 100],
    ['nor one that is absurd', forecast(1e6), 100],
    ['nor one that is no number', forecast(NaN), 100],
  ])('%s', (_, foreseen, perS) => {
    const decision = new Run(pair).for(20, uneven(50, 50, { forecast: foreseen }, { forecast: foreseen }));
    const sum = decision.targets.reduce((all, one) => all + (one.configuredDemandPerS ?? NaN), 0);
    expect(sum).toBeCloseTo(perS, 6);
  });

  test('is foreseen higher while it rises', () => {
    const run = new Run(pair);
    let perS = 50;
    const decision = run.for(30, (nowMs) => uneven((perS += 0.2))(nowMs));
    const foreseen = 2 * (decision.targets[0]?.configuredDemandPerS ?? 0);
    expect(foreseen).toBeGreaterThan(2 * perS + 10);
    expect(foreseen).toBeLessThan(2 * perS + 2 * 64);
  });
});

describe('a bucket', () => {
  test('tells when it would run dry under the configured weights', () => {
    const decision = new Run(pair).for(5, uneven(60, 60, { tokens: 100, capacity: 500, refillPerS: 50 }));
    expect(decision.targets[0]?.depletionMs).toBeCloseTo(10_000, 3);
    expect(decision.why).toBe('a would run dry in 10 s');
    expect(decision.targets[1]?.depletionMs).toBeNull();
  });

  test.each<[string, Partial<TargetSeen>, number]>([
    ['gives its refill and its tokens over the time', { tokens: 60 }, SMALL_PER_S],
    ['counts tokens in leases', { tokens: 30, leased: 30 }, SMALL_PER_S],
    ['holds no more than its capacity', { tokens: 1e6 }, SMALL_PER_S],
    ['that is in debt gives its refill', { tokens: -50 }, 54],
  ])('%s', (_, over, perS) => {
    const decision = new Run(pair).for(1, uneven(100, 100, over));
    expect(decision.targets[0]?.bucketPerS).toBeCloseTo(perS, 6);
  });

  test.each<[string, Partial<TargetSeen>]>([
    ['without tokens that are known', { tokens: NaN }],
    ['without a refill that is known', { refillPerS: NaN }],
    ['that has no end', { refillPerS: Infinity }],
  ])('%s is no bound', (_, over) => {
    const decision = new Run(pair).for(20, uneven(100, 100, over));
    expect(decision.targets[0]?.bucketPerS).toBeNull();
    expect(decision.state).toBe('configured');
  });

  test('that would run dry gets what it lasts with, the other gets the rest', () => {
    const decision = new Run(pair).for(20, uneven(100));
    expect(decision.state).toBe('moving');
    expect(decision.shares[0]?.[0]).toBeCloseTo(SMALL_PER_S / 200, 6);
    expect(decision.targets.map(({ rule }) => rule)).toEqual(['moved_off', 'moved_to']);
    expect(decision.targets[0]?.demandPerS).toBeCloseTo(SMALL_PER_S, 6);
  });
});

describe('the health of a target', () => {
  const well = { errorShare: 0, latencyP99Ms: 100, cpu: 0.2, memory: 0.2, out: 0 };
  const ill = (own: Partial<TargetHealth>, others: Partial<TargetHealth> = own, ahead = false) => {
    const one = health(own);
    return new Run(group([target('a'), target('b'), target('c')])).for(70, (nowMs) =>
      seenGroup([
        seenTarget('a', nowMs, 50, ahead ? { healthAhead: one } : { health: one }),
        seenTarget('b', nowMs, 50, { health: health(others) }),
        seenTarget('c', nowMs, 50, { health: health(others) }),
      ]),
    );
  };

  test.each<[string, Partial<TargetHealth>, number, string]>([
    ['errors', { errorShare: 0.275 }, 0.5, 'a answers with 28 % errors'],
    ['few errors', { errorShare: 0.05 }, 1, ''],
    ['slowness', { latencyP99Ms: 500 }, 0.5, 'a answers 5.0 times slower than its group'],
    ['a little slowness', { latencyP99Ms: 190 }, 1, ''],
    ['CPU', { cpu: 0.97 }, 0.2, 'a uses 97 % CPU'],
    ['memory', { memory: 1 }, 0, 'a uses 100 % memory'],
    ['being out', { out: 1, cpu: 0.97 }, 0, 'a is out'],
    ['the worst of several', { errorShare: 0.1, cpu: 0.97 }, 0.2, 'a uses 97 % CPU'],
    ['what is unknown', { errorShare: NaN, cpu: NaN }, 1, ''],
  ])('is lowered by %s', (_, own, factor, why) => {
    const decision = ill({ ...well, ...own }, well);
    expect(decision.targets[0]?.healthFactor).toBeCloseTo(factor, 9);
    expect(decision.why).toBe(why);
    // Without a bucket it is left the part of its configured share that it stands, its floor at least.
    expect(decision.shares[0]?.[0]).toBeCloseTo(Math.max(0.01, factor / 3), 6);
  });

  test('counts as it is foreseen, too', () => {
    const decision = ill({ ...well, cpu: 0.97 }, well, true);
    expect(decision.targets[0]?.healthFactor).toBeCloseTo(0.2, 9);
    expect(decision.why).toBe('a is foreseen to use 97 % CPU');
  });

  test('has no slowness without others to compare', () => {
    const decision = new Run(pair).for(20, (nowMs) =>
      seenGroup([
        seenTarget('a', nowMs, 50, { health: health({ latencyP99Ms: 5_000 }) }),
        seenTarget('b', nowMs, 50),
      ]),
    );
    expect(decision.state).toBe('configured');
  });

  test('has slowness beside one other', () => {
    const decision = new Run(pair).for(2, (nowMs) =>
      seenGroup([
        seenTarget('a', nowMs, 50, { health: health({ latencyP99Ms: 1_000 }) }),
        seenTarget('b', nowMs, 50, { health: health({ latencyP99Ms: 100 }) }),
      ]),
    );
    expect(decision.why).toBe('a answers 10.0 times slower than its group');
  });

  test('has no slowness among figures of a few milliseconds', () => {
    expect(ill({ latencyP99Ms: 8 }, { latencyP99Ms: 0.5 }).state).toBe('configured');
  });

  const told = (own: Partial<TargetHealth>) => uneven(10, 10, { health: health(own) });
  const factorAfter = (run: Run, seconds: number, own: Partial<TargetHealth>) =>
    run.for(seconds, told(own)).targets[0]?.healthFactor ?? NaN;

  test('is not lowered by a bad moment', () => {
    const run = new Run(pair);
    expect(factorAfter(run, 5, well)).toBe(1);
    expect(factorAfter(run, 0.5, { cpu: 1 })).toBe(1);
    expect(factorAfter(run, 30, well)).toBe(1);
  });

  test('falls by half of the way, and waits for the effect', () => {
    const run = new Run(pair);
    run.for(1, told(well));
    expect(factorAfter(run, 1.2, { cpu: 1 })).toBe(0.5);
    expect(factorAfter(run, 13, { cpu: 1 })).toBe(0.5);
    expect(factorAfter(run, 3, { cpu: 1 })).toBeCloseTo(0.1, 9);
  });

  test('falls all the way by errors that last, and is back some time after them', () => {
    const run = new Run(pair);
    run.for(1, told(well));
    expect(factorAfter(run, 1.2, { errorShare: 0.9 })).toBe(0);
    expect(factorAfter(run, 4, well)).toBe(0);
    expect(factorAfter(run, 26, well)).toBe(1);
  });

  test('does not come and go where a target recovers as soon as it is left', () => {
    const run = new Run(pair);
    let turns = 0;
    let before = 1;
    let direction = 0;
    for (let second = 0; second < 600; second += 1) {
      // Its CPU is what its factor makes of 1.5: it stands six tenths of its part.
      const now = factorAfter(run, 1, { cpu: Math.min(1, 1.5 * before) });
      if (Math.sign(now - before) === -direction && now !== before) turns += 1;
      if (now !== before) direction = Math.sign(now - before);
      if (second > 300) expect(Math.abs(now - 0.6)).toBeLessThan(0.1);
      before = now;
    }
    expect(turns).toBeLessThan(40);
  });
});

describe('backups', () => {
  const small = { ...fullBucket(60) };
  const withBackup = group([target('a'), target('b'), target('s', 1, { backup: true, maxShare: 0.25 })]);
  const seen = (perS: number) => (nowMs: number) =>
    seenGroup([
      seenTarget('a', nowMs, perS, small),
      seenTarget('b', nowMs, perS, small),
      seenTarget('s', nowMs, 0, fullBucket(500)),
    ]);

  test('get nothing while the others can take it', () => {
    const decision = new Run(withBackup).for(20, seen(50));
    expect(decision.shares).toEqual([[0.5, 0.5, 0]]);
    expect(decision.state).toBe('configured');
  });

  test('get what the others cannot take', () => {
    const decision = new Run(withBackup).for(20, seen(65));
    expect(decision.state).toBe('moving');
    expect(decision.shares[0]?.[2]).toBeCloseTo(1 - (2 * SMALL_PER_S) / 130, 6);
    expect(decision.targets[2]?.rule).toBe('backup');
  });

  test('get it although nothing is known of them', () => {
    const blind = (nowMs: number) => ({ ...seen(65)(nowMs), targets: seen(65)(nowMs).targets.slice(0, 2) });
    expect(new Run(withBackup).for(20, blind).shares[0]?.[2]).toBeGreaterThan(0.04);
  });

  test('get no more than their greatest share; then all is too much', () => {
    const decision = new Run(withBackup).for(30, seen(100));
    expect(decision.state).toBe('overloaded');
    expect(decision.shares[0]?.[2]).toBeCloseTo(0.25, 6);
    expect(decision.targets[2]?.clamps).toContain('max_share');
    expect(decision.why).toMatch(
      /^asked for 200\/s where all together can take \d+\/s: spread by what each can take/,
    );
  });
});

describe('when it is too much', () => {
  test('all get it by what they can take', () => {
    const decision = new Run(pair).for(30, uneven(400, 400, fullBucket(100), fullBucket(300)));
    expect(decision.state).toBe('overloaded');
    expect(decision.shares[0]?.[0]).toBeCloseTo(0.25, 6);
    expect(decision.targets.map(({ rule }) => rule)).toEqual(['spread', 'spread']);
  });

  test('no target is well: the configured weights, and it is said', () => {
    const out = { health: health({ out: 1 }) };
    const decision = new Run(group([target('a', 3), target('b', 1)])).for(20, uneven(50, 50, out, out));
    expect(decision.state).toBe('unhealthy');
    expect(decision.shares).toEqual([[0.75, 0.25]]);
    expect(decision.why).toBe('no target is well: spread by the configured weights (a is out; b is out)');
  });

  test('a target of weight 0 gets nothing', () => {
    const decision = new Run(group([target('a'), target('b', 0)])).for(30, uneven(400, 0));
    expect(decision.shares).toEqual([[1, 0]]);
    expect(decision.state).toBe('overloaded');
  });
});

test('overload is said from two hundredths of the demand on, until nothing is too much', () => {
  const run = new Run(pair);
  const at = (perS: number) => uneven(perS, perS, fullBucket(100), fullBucket(100));
  const mostPerS = 0.9 * (100 + 100 / 32);
  expect(run.for(20, at(mostPerS * 1.01)).state).toBe('configured');
  expect(run.for(20, at(mostPerS * 1.1)).state).toBe('overloaded');
  expect(run.for(20, at(mostPerS * 1.01)).state).toBe('overloaded');
  expect(run.for(20, at(mostPerS * 0.9)).state).toBe('configured');
});
