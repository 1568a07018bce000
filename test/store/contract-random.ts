/**
 * The part of the store contract that compares random sequences of requests with the model. A store on a real clock
 * decides a little before or after the model thinks it does, so the model is asked at both ends of that time: where
 * they differ in a verdict the sequence ends, and figures must lie between them. A store on simulated time has no slack.
 */
import fc from 'fast-check';
import {
  ALGORITHMS,
  type Algorithm,
  type BucketCall,
  type BucketOutcome,
  type BucketRequest,
  CHARGE_DENIED,
} from '../../src/core/buckets';
import { call, daily, DAY_US, outcomeOf, request, type StoreHarness, toDayStart } from './contract-form';
import { decideByModel, heldBy, identityOf, type ModelStates, type ModelStep } from './model';

const HOUR_US = DAY_US / 24;
const RUNS = 60;
/** What two writes of one bucket may round differently, in tokens and, at one token a day, in us. */
const ROUNDING_TOKENS = 1e-5;
const ROUNDING_US = 1_000_000;

/** A request before its parameters are known, or a step of the clock. */
type Step = { readonly advanceUs: number } | { readonly request: BucketRequest };

const FIGURES = ['usedBefore', 'usedAfter', 'remaining', 'resetUs', 'retryAfterUs'] as const;

/** Declares the tests. */
export function describeRandomSequences(harness: () => StoreHarness): void {
  it.each([
    { what: 'all algorithms', algorithms: ALGORITHMS, earliestUs: 0 },
    {
      what: 'token buckets on a clock that steps back',
      algorithms: ['token_bucket'] as const,
      earliestUs: -2 * DAY_US,
    },
  ])('answers random sequences as the model does: $what', async ({ algorithms, earliestUs }) => {
    const steps = fc.array(stepOf(algorithms, earliestUs), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, (sequence) => followsTheModel(harness(), sequence)),
      { numRuns: RUNS },
    );
  });
}

function stepOf(algorithms: readonly Algorithm[], earliestUs: number): fc.Arbitrary<Step> {
  const params = fc
    .record({
      algorithm: fc.constantFrom(...algorithms),
      limit: fc.constantFrom(0, 1, 3, 5, 9),
      version: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ algorithm, limit, version }) => daily(algorithm, limit, { version }));
  const one = fc
    .record({
      key: fc.constantFrom('a', 'b', 'c'),
      params,
      hits: fc.constantFrom(1, 1, 1, 2, 4, 0, -1, -3, 12),
      role: fc.constantFrom('hard' as const, 'quota' as const, 'shadow' as const),
    })
    .map(({ key, params: offered, hits, role }) => call(key, offered, hits, { role, group: 'one slot' }));
  const asked = fc
    .record({
      calls: fc.array(one, { minLength: 1, maxLength: 4 }),
      chargeDenied: fc.constantFrom(...CHARGE_DENIED),
      quotaSatisfied: fc.boolean(),
    })
    .map(({ calls, ...more }) => ({ request: request(calls, more) }));
  const advanced = fc.integer({ min: earliestUs, max: 2 * DAY_US }).map((advanceUs) => ({ advanceUs }));
  const briefly = fc.integer({ min: 0, max: 4 * HOUR_US }).map((advanceUs) => ({ advanceUs }));
  return fc.oneof(
    { weight: 4, arbitrary: asked },
    { weight: 1, arbitrary: briefly },
    { weight: 1, arbitrary: advanced },
  );
}

async function followsTheModel(harness: StoreHarness, sequence: readonly Step[]): Promise<void> {
  await harness.reset();
  await toDayStart(harness);
  let states: ModelStates = new Map();
  const forgettable = new Set<string>();
  let slackUs = 0;
  for (const step of sequence) {
    if ('advanceUs' in step) {
      await harness.advance(step.advanceUs);
      continue;
    }
    const fromUs = await harness.nowUs();
    const asked = withoutForgetting(step.request, states, forgettable, fromUs + slackUs);
    if (asked === undefined) return;
    const actual = (await harness.store.decide(asked)).map(outcomeOf);
    slackUs += (await harness.nowUs()) - fromUs;
    const early = decideByModel(states, asked, fromUs - slackUs);
    const late = decideByModel(states, asked, fromUs + slackUs);
    if (verdictsOf(early) !== verdictsOf(late)) return;
    actual.forEach((outcome, i) => expectBetween(outcome, early.outcomes[i], late.outcomes[i], slackUs));
    states = decideByModel(states, asked, fromUs).states;
    for (const each of asked.calls) forgettable.delete(identityOf(each));
    for (const identity of states.keys()) {
      if (heldBy(states, identity, fromUs + slackUs)?.idle === true) forgettable.add(identity);
    }
  }
}

/**
 * The same request, with parameters that cannot tell whether a bucket out of use is still known: a forgotten one would
 * begin anew at the capacity offered, and have no memory of versions. Undefined where it can be told all the same: a
 * bucket was out of use until the clock stepped back.
 */
function withoutForgetting(
  asked: BucketRequest,
  states: ModelStates,
  forgettable: ReadonlySet<string>,
  nowUs: number,
): BucketRequest | undefined {
  const calls: BucketCall[] = [];
  for (const each of asked.calls) {
    const held = heldBy(states, identityOf(each), nowUs);
    if (held?.idle === false && forgettable.has(identityOf(each))) return undefined;
    calls.push(held?.idle === true ? { ...each, params: held.params } : each);
  }
  return { ...asked, calls };
}

function verdictsOf(step: ModelStep): string {
  return step.outcomes.map((outcome) => (outcome.allowed ? '+' : '-')).join('');
}

function expectBetween(
  actual: BucketOutcome,
  early: BucketOutcome | undefined,
  late: BucketOutcome | undefined,
  slackUs: number,
): void {
  if (early === undefined || late === undefined)
    throw new Error('the store answered more calls than it was asked');
  expect(actual.allowed).toBe(early.allowed);
  for (const figure of FIGURES) {
    const [low, high] = [early[figure], late[figure]].sort((a, b) => a - b);
    if (low === undefined || high === undefined) continue;
    const isTime = figure.endsWith('Us');
    const rounding = slackUs === 0 ? 0 : isTime ? ROUNDING_US + slackUs : ROUNDING_TOKENS;
    expect({ figure, value: actual[figure], atLeast: actual[figure] >= low - rounding }).toMatchObject({
      atLeast: true,
    });
    expect({ figure, value: actual[figure], atMost: actual[figure] <= high + rounding }).toMatchObject({
      atMost: true,
    });
  }
}
