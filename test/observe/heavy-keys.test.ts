import { seededRandom } from '../../src/forecast/numeric/random';
import { rows, setup, type Setup } from './observed-limiter';

describe('heavy keys', () => {
  const light = (ask: Setup['ask'], step: { n: number }): void => {
    for (let key = 0; key < 30; key += 1) ask(`user=u${(step.n = step.n + 1)}`);
  };

  test('get exact counts of their own', () => {
    const { ask, steps } = setup();
    const step = { n: 0 };
    steps(20, () => {
      ask('user=heavy', 20);
      light(ask, step);
    });
    ask('user=heavy', 17, 2);
    light(ask, step);
    const batch = steps(1);
    expect(rows(batch)['d.user|d|user=heavy']).toEqual({
      arrivals: 17,
      admitted: 17,
      denied: 0,
      queued: 0,
      hits: 34,
    });
    expect(rows(batch)['d.user']).toMatchObject({ arrivals: 47 });
    expect(batch.classes.filter((id) => id.includes('|'))).toEqual(['d.user|d|user=heavy']);
  });

  test('are found among far more arrivals than are looked at', () => {
    const { ask, steps } = setup();
    const random = seededRandom(3);
    const each = (): void => {
      for (let key = 0; key < 500; key += 1) ask(`user=u${Math.floor(random.next() * 1e6)}`, 40);
      ask('user=heavy', 2_500);
    };
    steps(30, each);
    const batch = steps(1, each);
    expect(rows(batch)['d.user|d|user=heavy']).toMatchObject({ arrivals: 2_500 });
    expect(batch.classes.filter((id) => id.includes('|'))).toHaveLength(1);
  });

  test('name their rule, service and tenant', () => {
    const { ask, steps } = setup({}, { tenantKey: 'user' });
    const named = new Map<string, object>();
    for (let step = 0; step < 30; step += 1) {
      for (const info of steps(1, () => ask('user=a|b', 10)).added) named.set(info.id, info);
    }
    expect(named.get('d.user|d|user=a%7cb')).toEqual({
      id: 'd.user|d|user=a%7cb',
      kind: 'key',
      parent: 'd.user',
      service: 'd',
      tenant: 'a|b',
    });
  });

  test('stay within their bounds, the heaviest of a rule first', () => {
    const { ask, steps } = setup({ keysPerRule: 2, minKeyShare: 0 });
    const each = (): void => {
      for (let key = 1; key <= 8; key += 1) ask(`user=u${key}`, key * 10);
    };
    steps(40, each);
    const keys = steps(1, each).classes.filter((id) => id.includes('|'));
    expect(keys).toHaveLength(2);
    expect(keys).toEqual(expect.arrayContaining(['d.user|d|user=u8', 'd.user|d|user=u7']));
  });

  test('give way to a key twice as heavy, and stay where it is only somewhat heavier', () => {
    const { ask, steps } = setup({ keysPerRule: 1, minKeyShare: 0 });
    steps(40, () => ask('user=first', 10));
    const somewhat = steps(60, () => {
      ask('user=first', 10);
      ask('user=second', 13);
    });
    expect(somewhat.classes).toContain('d.user|d|user=first');
    const ended: string[] = [];
    for (let step = 0; step < 60; step += 1) {
      const batch = steps(1, () => {
        ask('user=first', 10);
        ask('user=second', 60);
      });
      ended.push(...(batch.ended ?? []));
    }
    expect(ended).toEqual(['d.user|d|user=first']);
    expect(steps(1, () => ask('user=second', 60)).classes).toContain('d.user|d|user=second');
  });

  test('end when they stay cold, not when they pause', () => {
    const { ask, steps } = setup({ keepMs: 60_000 });
    const step = { n: 0 };
    steps(30, () => ask('user=heavy', 20));
    const ended: string[] = [];
    const rest = (times: number, hot: number): void => {
      for (let at = 0; at < times; at += 1) {
        const batch = steps(1, () => {
          light(ask, step);
          if (hot > 0) ask('user=heavy', hot);
        });
        ended.push(...(batch.ended ?? []));
      }
    };
    rest(40, 0);
    rest(20, 20);
    expect(ended).toEqual([]);
    rest(200, 0);
    expect(ended).toEqual(['d.user|d|user=heavy']);
  });

  test('are not promoted below the least rate, nor when they are too long to keep', () => {
    const { ask, steps } = setup({ minKeyRatePerS: 5 });
    const long = `user=${'x'.repeat(300)}`;
    const each = (): void => {
      ask('user=slow', 3);
      ask(long, 50);
    };
    steps(60, each);
    expect(steps(1, each).classes).toEqual(['d.user', 'service:d']);
  });

  test('are none of a rule with one bucket', () => {
    const { ask, steps } = setup();
    steps(60, () => ask('path=/login', 50));
    expect(steps(1, () => ask('path=/login', 50)).classes).toEqual(['d.path_/login', 'service:d']);
  });

  test('survive a flood of keys that come once', () => {
    const { ask, steps } = setup();
    const step = { n: 0 };
    steps(30, () => ask('user=heavy', 50));
    const batch = steps(30, () => {
      ask('user=heavy', 50);
      for (let key = 0; key < 700; key += 1) ask(`user=flood${(step.n += 1)}`);
    });
    expect(rows(batch)['d.user|d|user=heavy']).toMatchObject({ arrivals: 50 });
  });
});

describe('tenants', () => {
  test('of requests are counted each for itself, within their bound', () => {
    const { ask, steps } = setup({ maxTenants: 2 }, { tenantKey: 'tenant' });
    const each = (): void => {
      ask('tenant=acme,api=search', 30);
      ask('tenant=umbrella,api=search', 20);
      ask('tenant=tiny,api=search', 1);
    };
    steps(30, each);
    const counted = rows(steps(1, each));
    expect(counted['tenant:acme']).toMatchObject({ arrivals: 30 });
    expect(counted['tenant:umbrella']).toMatchObject({ arrivals: 20 });
    expect(counted['tenant:tiny']).toBeUndefined();
    expect(counted['d.tenant.api_search']).toMatchObject({ arrivals: 51 });
  });

  test('of rules are the sums of their rules', () => {
    const { ask, steps } = setup(
      {},
      {
        classes: [
          { match: 'd.path_*', tenant: 't' },
          { match: '*', service: 's' },
          { match: 'd.free', tenant: 't' },
        ],
      },
    );
    ask('path=/login', 2);
    ask('free=1', 3);
    ask('user=u', 4);
    const counted = rows(steps(1));
    expect(counted['tenant:t']).toMatchObject({ arrivals: 5 });
    expect(counted['service:s']).toMatchObject({ arrivals: 9 });
  });
});

describe('what is known of a class', () => {
  test('is its rule’s, also for a key', () => {
    const { counts, ask, steps } = setup(
      {},
      { classes: [{ match: 'd.user', io: 3, operation: 'write', priority: 'HIGH' }] },
    );
    steps(30, () => ask('user=heavy', 20));
    const about = {
      service: 'd',
      operation: 'write',
      priority: 'HIGH',
      cost: { cpu: 0, memory: 0, io: 3, network: 0 },
    };
    expect(counts.about('d.user')).toMatchObject(about);
    expect(counts.about('d.user|d|user=heavy')).toMatchObject(about);
    expect(counts.costOf('service:d')).toBeUndefined();
  });
});
