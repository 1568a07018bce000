import type { PoolSeen } from '../../../src/core/control';
import { PoolController } from '../../../src/control/pool-controller';
import { AllocationAdvisor } from '../../../src/learn/allocation/advisor';
import { adviceOf, factorOf } from '../../../src/learn/allocation/factors';
import { ALLOCATION_NAMES, ALLOCATION_SHAPE, SERVICE_FEATURES } from '../../../src/learn/allocation/features';
import { AllocationObserver } from '../../../src/learn/allocation/observation';
import { ppoPolicy } from '../../../src/learn/allocation/ppo-policy';
import type { Actor, LearnerObservation } from '../../../src/learn/environment';
import { partDemand } from '../../../src/simulate/demand';
import { WarmForecasters } from '../../../src/simulate/forecasts';
import { PREDICTIVE } from '../../../src/simulate/policy/predictive';
import { LoadSimulation } from '../../../src/simulate/simulation';
import { memberPolicy, memberSeen, poolPolicy, poolSeen } from '../../control/pool-samples';
import { smallScenario } from './scenario-samples';

const MEMBERS = ['a', 'b'].map((id) => memberPolicy(id));
const pool = poolPolicy();

/** An actor that says the same of everyone, and keeps what it was shown. */
function actorOf(demand: number, keep: number): Actor & { readonly shown: LearnerObservation[] } {
  const shown: LearnerObservation[] = [];
  return {
    shape: ALLOCATION_SHAPE,
    shown,
    act: (observation) => {
      shown.push({
        services: observation.services,
        perService: observation.perService.slice(),
        global: observation.global.slice(),
      });
      return Float64Array.from({ length: 2 * observation.services }, (_, at) =>
        at % 2 === 0 ? demand : keep,
      );
    },
  };
}
const featureOf = ({ perService }: LearnerObservation, name: (typeof SERVICE_FEATURES)[number], row = 0) =>
  perService[row * SERVICE_FEATURES.length + SERVICE_FEATURES.indexOf(name)] ?? NaN;

describe('an action', () => {
  it.each([
    [0, 1],
    [2, 2],
    [-2, 0.5],
    [1, Math.SQRT2],
    [1e9, 2],
    [-1e9, 0.5],
  ])('of %d is a factor of %d', (action, factor) => {
    expect(factorOf(action, 2)).toBeCloseTo(factor, 12);
  });

  it('that is no number makes advice that the controller leaves out', () => {
    const controller = new PoolController(pool, MEMBERS);
    controller.tick(0, poolSeen({ a: 1, b: 1 }));
    const advice = adviceOf('m', 0, ['a', 'b'], [NaN, 0, 0, 0], 2);
    expect(controller.advise(advice)).toMatchObject({ members: 1, refused: 1 });
  });
});

describe('what is observed', () => {
  const look = (observer: AllocationObserver, seen: PoolSeen, ticks = 10) => {
    for (let tick = 0; tick < ticks; tick += 1) observer.tick(tick * 1_000, pool, MEMBERS, seen);
    return observer.observe();
  };

  it('is told in parts of what is configured', () => {
    const observer = new AllocationObserver();
    const seen = poolSeen({ a: 50, b: 100 });
    observer.tick(0, pool, MEMBERS, seen);
    observer.decided(new PoolController(pool, MEMBERS).tick(0, seen));
    const observed = look(observer, seen);
    expect(featureOf(observed, 'demand')).toBeCloseTo(0.5, 9);
    expect(featureOf(observed, 'rate')).toBeGreaterThan(0.5);
    expect(featureOf(observed, 'utilisation', 1)).toBeGreaterThan(featureOf(observed, 'utilisation', 0));
    expect(observed.global[0]).toBeCloseTo(150 / 400, 9);
  });

  it('is the same for a pool of another size', () => {
    const small = look(new AllocationObserver(), poolSeen({ a: 50, b: 100 }));
    const first = [...small.perService];
    const observer = new AllocationObserver();
    const members = MEMBERS.map((one) => ({ ...one, nominalPerS: 1_000, nominalCapacity: 1_000 }));
    const large = { ...pool, totalPerS: 4_000 };
    const seen = {
      health: [],
      members: [memberSeen('a', 500, { tokens: 500 }), memberSeen('b', 1_000, { tokens: 500 })],
    };
    for (let tick = 0; tick < 10; tick += 1) observer.tick(tick * 1_000, large, members, seen);
    const { perService } = observer.observe();
    const tokens = SERVICE_FEATURES.indexOf('tokens');
    first.forEach((figure, at) => {
      if (at % SERVICE_FEATURES.length !== tokens) expect(perService[at]).toBeCloseTo(figure, 9);
    });
  });

  it('follows those that wait, and forgets denials slowly', () => {
    const observer = new AllocationObserver();
    const short = memberSeen('a', 150, { admittedPerS: 100, deniedPerS: 20, queuedPerS: 30 });
    const observed = look(observer, { health: [], members: [short, memberSeen('b', 10)] });
    expect(featureOf(observed, 'backlog_s')).toBeCloseTo(3, 9);
    expect(featureOf(observed, 'denied_history')).toBeCloseTo(0.1 * (20 / 150), 9);
    const later = look(observer, poolSeen({ a: 10, b: 10 }));
    expect(featureOf(later, 'denied_history')).toBeCloseTo(0.09 * (20 / 150), 9);
    expect(featureOf(later, 'denied')).toBe(0);
  });

  it('is finite where nobody tells anything, and where figures are absurd', () => {
    const absurd = memberSeen('a', Infinity, { admittedPerS: NaN, deniedPerS: -1, tokens: NaN });
    for (const seen of [
      { health: [], members: [] },
      { health: [], members: [absurd] },
    ]) {
      const observed = look(new AllocationObserver(), seen);
      expect([...observed.perService, ...observed.global].every(Number.isFinite)).toBe(true);
    }
  });

  it('follows members that come, go and change places', () => {
    const observer = new AllocationObserver();
    look(observer, poolSeen({ a: 50, b: 100 }));
    const members = [memberPolicy('c'), ...[...MEMBERS].reverse()];
    observer.tick(10_000, pool, members, poolSeen({ a: 50, b: 100, c: 10 }));
    const observed = observer.observe();
    expect(observed.services).toBe(3);
    expect([0, 1, 2].map((row) => featureOf(observed, 'demand', row))).toEqual([0.1, 1, 0.5]);
  });

  it('has a name for each figure', () => {
    expect(ALLOCATION_NAMES.perService).toHaveLength(ALLOCATION_SHAPE.serviceFeatures);
    expect(ALLOCATION_NAMES.global).toHaveLength(ALLOCATION_SHAPE.globalFeatures);
    expect(new Set(ALLOCATION_NAMES.perService).size).toBe(ALLOCATION_SHAPE.serviceFeatures);
  });
});

describe('an advisor', () => {
  it('asks its actor once an interval, from the second on, and in time for the plan', () => {
    const actor = actorOf(1, 0);
    const advisor = new AllocationAdvisor(actor, 'm7');
    const controller = new PoolController(pool, MEMBERS);
    const advisedAt: number[] = [];
    for (let tick = 0; tick < 35; tick += 1) {
      const seen = poolSeen({ a: 100, b: 100 });
      controller.advise(advisor.advise(tick * 1_000, pool, MEMBERS, seen));
      const decision = controller.tick(tick * 1_000, seen);
      advisor.decided(decision);
      if (decision.outputs[0]?.reason.advice !== undefined) advisedAt.push(tick);
    }
    expect(actor.shown).toHaveLength(3);
    expect(advisedAt[0]).toBe(10);
    expect(advisedAt).toHaveLength(25);
  });
});

describe('the policy ppo of the simulator', () => {
  const scenario = smallScenario({ testDays: 0.05, tickMs: 1_000 });
  const run = (...kinds: Parameters<typeof ppoPolicy>[0][]) => {
    const warm = new WarmForecasters(scenario.arrivals, scenario.seed);
    for (const demand of partDemand(scenario, 'train')) warm.warm(demand);
    const policies = [PREDICTIVE, ...kinds.map((actor) => ppoPolicy(actor))];
    const simulation = new LoadSimulation(scenario, 1.1, warm.at(1.1), policies);
    while (simulation.step());
    return simulation.outcomes();
  };

  it('is the solver where the actor says nothing, and another where it does; within the total either way', () => {
    const [solver, silent, loud] = run(actorOf(0, 0), actorOf(-2, 2));
    expect(silent?.figures).toEqual(solver?.figures);
    expect(loud?.figures.weighted_loss).not.toBe(solver?.figures.weighted_loss);
    for (const outcome of [solver, silent, loud]) expect(outcome?.figures.violations).toBe(0);
  });
});
