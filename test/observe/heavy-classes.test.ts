/** What a review of heavy keys may cost the thread that decides. */
import { ClassMap } from '../../src/observe/class-map';
import { HeavyClasses } from '../../src/observe/heavy-classes';
import { setup } from './observed-limiter';

const OPTIONS = { perParent: 300, total: 300, minRatePerS: 0, minShare: 0, keepMs: 600_000 };
const review = (classes: HeavyClasses) => classes.review(() => 1e6, 1, 10_000);
const ids = (prefix: string): string[] => Array.from({ length: 300 }, (_, at) => `${prefix}${at}`);

describe('where all keys are heavier than all before', () => {
  test('a bounded number of them takes a place in each review, the lightest giving way', () => {
    const classes = new HeavyClasses(OPTIONS);
    ids('old').forEach((key, at) => classes.sampled(key, 'r', 100 + at));
    expect(review(classes).promoted).toHaveLength(300);
    let reviews = 0;
    for (; classes.get('new299') === undefined && reviews < 5; reviews += 1) {
      for (const key of ids('new')) classes.sampled(key, 'r', 1e6);
      const { promoted, demoted } = review(classes);
      expect(promoted.length).toBeLessThanOrEqual(200);
      expect(demoted).toHaveLength(promoted.length);
      if (reviews === 0) {
        expect(promoted).toHaveLength(200);
        expect(new Set(demoted.map(({ key }) => key))).toEqual(new Set(ids('old').slice(0, 200)));
      }
      expect([...classes.values()]).toHaveLength(300);
    }
    expect(reviews).toBe(2);
  });

  test('the lightest of its own rule gives way where the rule has no room', () => {
    const classes = new HeavyClasses({ ...OPTIONS, perParent: 2 });
    for (const [key, rule, weight] of [
      ['a1', 'a', 300],
      ['a2', 'a', 400],
      ['b1', 'b', 100],
    ] as const)
      classes.sampled(key, rule, weight);
    review(classes);
    classes.sampled('a3', 'a', 10_000);
    classes.sampled('b2', 'b', 20_000);
    const { promoted, demoted } = review(classes);
    expect(promoted.map(({ key }) => key)).toEqual(['b2', 'a3']);
    expect(demoted.map(({ key }) => key)).toEqual(['a1']);
  });
});

test('what the settings say of a rule is looked up once, while its limits are compiled', () => {
  const looked = jest.spyOn(ClassMap.prototype, 'of');
  try {
    const { load } = setup();
    const before = looked.mock.calls.length;
    load('domain: other\ndescriptors:\n  - key: a\n    rate_limit: {unit: second, requests_per_unit: 1}');
    expect(looked.mock.calls.length - before).toBe(1);
  } finally {
    looked.mockRestore();
  }
});
