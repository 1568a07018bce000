/** What holds for any weights and shares. */
import fc from 'fast-check';
import { definitions } from '../../../src/mesh/definitions';
import type { MeshResource } from '../../../src/mesh/resource';
import {
  CLUSTER_SCALE,
  ENDPOINT_SCALE,
  largestRemainder,
  MAX_SUM,
  normalised,
  splitWeights,
  usualShares,
  type Split,
} from '../../../src/mesh/weights/weight-split';
import { decoded, endpoints, route, routes, target, VIP, weighted } from './resources';

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const shares = (length: number): fc.Arbitrary<readonly number[]> =>
  fc
    .array(fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1, noNaN: true })), {
      minLength: length,
      maxLength: length,
    })
    .map(normalised);

const split = fc
  .record({
    least: fc.constantFrom(0 as const, 1 as const),
    entries: fc.array(
      fc.record({
        target: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
        weight: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 5_000_000 })),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  })
  .map(({ least, entries }): Split => ({
    least,
    entries: entries.map(({ target: of, weight }) => ({
      target: of,
      configured: Math.max(least, weight),
    })),
  }));

describe('weights of a split', () => {
  test('are whole, sum to a multiple of what is configured, and leave others their exact part', () => {
    fc.assert(
      fc.property(split, shares(5), (one, wanted) => {
        const scale = one.least === 1 ? ENDPOINT_SCALE : CLUSTER_SCALE;
        const usual = usualShares([one], 5);
        const weights = splitWeights(one, wanted, usual, scale);
        const configured = total(one.entries.map((entry) => entry.configured));
        const factor = Math.max(1, Math.floor(scale / Math.max(1, configured)));
        expect(total(weights)).toBe(configured * factor);
        expect(total(weights)).toBeLessThanOrEqual(MAX_SUM);
        weights.forEach((weight, at) => {
          expect(Number.isSafeInteger(weight)).toBe(true);
          expect(weight).toBeGreaterThanOrEqual(one.least);
          const { target: of, configured: own } = one.entries[at] ?? { target: undefined, configured: 0 };
          if (of === undefined) expect(weight).toBe(own * factor);
        });
        expect(splitWeights(one, wanted, usual, scale)).toEqual(weights);
      }),
    );
  });

  test('are what is configured for the shares that are configured', () => {
    fc.assert(
      fc.property(split, (one) => {
        const usual = usualShares([one], 5);
        const weights = splitWeights(one, usual, usual, CLUSTER_SCALE);
        const factor = total(weights) / Math.max(1, total(one.entries.map((entry) => entry.configured)));
        weights.forEach((weight, at) => {
          expect(Math.abs(weight - (one.entries[at]?.configured ?? 0) * factor)).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  test('are within one of the exact share of a group that is all of its route', () => {
    const all = (weights: readonly number[]): Split => ({
      least: 0,
      entries: weights.map((configured, at) => ({ target: at, configured })),
    });
    const some = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(some, shares(3), (configured, wanted) => {
        fc.pre(total(wanted) > 0);
        const one = all(configured);
        const weights = splitWeights(one, wanted, usualShares([one], 3), CLUSTER_SCALE);
        weights.forEach((weight, at) => {
          expect(Math.abs(weight - (wanted[at] ?? 0) * total(weights))).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  test('largest remainders sum exactly, with the least for each', () => {
    const input = fc.tuple(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
      fc.constantFrom(0, 1),
      fc.integer({ min: 20, max: 1_000_000 }),
    );
    fc.assert(
      fc.property(input, ([parts, least, sum]) => {
        const exact = normalised(parts).map((part) => part * sum);
        const whole = largestRemainder(exact, sum, least);
        expect(total(whole)).toBe(sum);
        expect(Math.min(...whole)).toBeGreaterThanOrEqual(least);
      }),
    );
  });
});

/** A message with its weights taken out. */
function withoutWeights(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWeights);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !['weight', 'load_balancing_weight', 'total_weight'].includes(key))
      .map(([key, one]) => [key, withoutWeights(one)]),
  );
}

const more = fc.record(
  {
    name: fc.constantFrom('one', 'two'),
    metadata: fc.constant({ filter_metadata: { x: { a: [1, 'b', true, null], deep: { c: 0.5 } } } }),
    request_headers_to_remove: fc.constant(['x-a', 'x-b']),
    typed_per_filter_config: fc.constant({
      'envoy.filters.http.cors': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy',
        allow_methods: 'GET',
      },
    }),
    match: fc.constantFrom(
      { prefix: '/' },
      { path: '/x', case_sensitive: false },
      { safe_regex: { regex: '/a.*' }, headers: [{ name: 'x', present_match: true }] },
    ),
  },
  { requiredKeys: ['match'] },
);
const action = fc.record(
  {
    total_weight: fc.constant(100),
    runtime_key_prefix: fc.constant('k'),
    header_name: fc.constant('x-random'),
  },
  { requiredKeys: [] },
);
const someRoutes = fc.array(
  fc.tuple(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'other'), fc.nat(100)), more, action),
  { minLength: 1, maxLength: 6 },
);
const rows = [target('web:a'), target('web:b'), target('web:c')];

describe('resources', () => {
  test('differ in weights only', () => {
    fc.assert(
      fc.property(someRoutes, shares(3), (list, wanted) => {
        const input = [routes(...list.map(([weights, ...rest]) => route(weights, ...rest)))];
        const made = weighted(input, rows);
        const shown = made.groups()[0]?.targets.length ?? 0;
        const [own] = made.apply(new Map()).resources;
        const { resources } = made.apply(new Map([['web', [wanted.slice(0, shown)]]]));
        const changed = resources[0];
        if (own === undefined || changed === undefined) throw new Error('nothing is there');
        expect(withoutWeights(decoded(changed))).toEqual(withoutWeights(decoded(own)));
        const name = 'envoy.config.route.v3.RouteConfiguration';
        expect(definitions().encode(name, definitions().decode(name, changed.body))).toEqual(changed.body);
        expect(weighted(input, rows).apply(new Map([['web', [wanted.slice(0, shown)]]])).resources).toEqual(
          resources,
        );
        expect(made.apply(new Map()).resources).toEqual([own]);
      }),
      { numRuns: 60 },
    );
  });

  test('with classes hold the routes of the user in their order, with the class before each', () => {
    fc.assert(
      fc.property(someRoutes, (list) => {
        const input = [routes(...list.map(([weights, ...rest]) => route(weights, ...rest)))];
        const made = weighted(input, rows, [VIP]);
        const equal = made.groups()[0]?.targets.map(() => 1) ?? [];
        if (equal.length === 0) return;
        const [own] = made.apply(new Map()).resources;
        const [changed] = made.apply(new Map([['web', [equal, equal]]])).resources;
        const plain = withoutNames(routesOf(own));
        const found = routesOf(changed).filter((one) => !String(one['name']).endsWith('/vip'));
        expect(withoutNames(found)).toEqual(plain);
        const vips = routesOf(changed).filter((one) => String(one['name']).endsWith('/vip'));
        for (const vip of vips) expect(JSON.stringify(vip['match'])).toContain('"exact":"gold"');
      }),
      { numRuns: 60 },
    );
  });

  test('endpoints differ in weights only, and each keeps at least 1', () => {
    const places = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '10.0.0.4:80=7'];
    const made = weighted(
      [endpoints([{ of: places, more: { locality: { zone: 'x' }, proximity: 3 } }])],
      places.slice(0, 3).map((place) => target(`one:a/${place}`)),
    );
    const [own] = made.apply(new Map()).resources;
    fc.assert(
      fc.property(shares(3), (wanted) => {
        const [changed] = made.apply(new Map([['one', [wanted]]])).resources;
        if (own === undefined || changed === undefined) throw new Error('nothing is there');
        expect(withoutWeights(decoded(changed))).toEqual(withoutWeights(decoded(own)));
        expect(JSON.stringify(decoded(changed))).not.toContain('"value":0');
      }),
    );
  });
});

function routesOf(resource: MeshResource | undefined): readonly Record<string, unknown>[] {
  if (resource === undefined) throw new Error('nothing is there');
  const [host] = decoded(resource)['virtual_hosts'] as { routes: Record<string, unknown>[] }[];
  return host?.routes ?? [];
}

function withoutNames(list: readonly Record<string, unknown>[]): unknown {
  return list.map(({ name, ...rest }) => ({
    ...(typeof name === 'string' && !name.endsWith('/default') ? { name } : {}),
    rest: withoutWeights(rest),
  }));
}
