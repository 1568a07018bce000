/** A model file for tests: it holds headroom for what is critical and takes it from what is not, and knows ordinary load only. */
import { seededRandom, type Random } from '../../src/forecast/numeric/random';
import {
  ALLOCATION_NAMES,
  ALLOCATION_SHAPE,
  GLOBAL_FEATURES,
  SERVICE_FEATURES,
} from '../../src/learn/allocation/features';
import type { Environment, LearnerObservation, StepResult } from '../../src/learn/environment';
import { writeModel } from '../../src/learn/model/model';
import { TrainedActor } from '../../src/learn/model/trained-actor';
import { PpoLearner } from '../../src/learn/ppo/learner';
import { collectRollouts } from '../../src/learn/vector-rollouts';

/** More than the largest action that counts, so that learning comes to it. */
const FULL = 3;
const STEPS = 16;
const PRIORITIES = ['critical', 'low'] as const;
/** What grows with load: beyond these the model says that it has not been there. */
const LOAD_MOST = 3;
const OF_LOAD = new Set(['demand', 'demand_recent', 'demand_sd', 'denied', 'forecast_error', 'load']);
/** So wide that nothing of it is seen. */
const BLIND = 1e9;

/** What is critical is to be raised as far as it goes, what is low lowered; nothing else is told. */
class Headroom implements Environment {
  readonly shape = ALLOCATION_SHAPE;
  private random: Random = seededRandom(0);
  private kinds: readonly (0 | 1)[] = [];
  private passed = 0;

  reset(seed: number): LearnerObservation {
    this.random = seededRandom(seed);
    this.kinds = Array.from({ length: 2 + Math.floor(this.random.next() * 3) }, () =>
      this.random.next() < 0.5 ? 0 : 1,
    );
    this.passed = 0;
    return this.seen();
  }

  step(action: Float64Array): StepResult {
    let miss = 0;
    this.kinds.forEach((kind, at) => {
      miss += (action[2 * at]! - (kind === 0 ? FULL : -FULL)) ** 2 + action[2 * at + 1]! ** 2;
    });
    this.passed += 1;
    const reward = -miss / this.kinds.length;
    const truncated = this.passed === STEPS;
    return { observation: this.seen(), reward, terms: { miss: reward }, terminated: false, truncated };
  }

  private seen(): LearnerObservation {
    const perService = new Float64Array(this.kinds.length * SERVICE_FEATURES.length);
    this.kinds.forEach((kind, at) => {
      const place = SERVICE_FEATURES.indexOf(PRIORITIES[kind]);
      perService[at * SERVICE_FEATURES.length + place] = 1;
    });
    return { services: this.kinds.length, perService, global: new Float64Array(GLOBAL_FEATURES.length) };
  }
}

/** The text of a model file. */
export function headroomModel(): string {
  const learner = new PpoLearner(
    ALLOCATION_SHAPE,
    {
      updates: 60,
      rollouts: 4,
      rolloutSteps: 96,
      epochs: 4,
      minibatches: 4,
      learningRate: 8e-3,
      units: 12,
      valueUnits: 12,
      klTarget: 0.2,
      ratio: 'service',
    },
    1,
  );
  const { rollouts, rolloutSteps: steps, updates } = learner.settings;
  while (learner.updates < updates) {
    const order = { seed: learner.seed, update: learner.updates, rollouts, steps };
    learner.update(collectRollouts(() => new Headroom(), learner.snapshot(), order));
  }
  const { snapshot } = learner.actor();
  const told = new Set<string>(PRIORITIES);
  const deviations = snapshot.scales.perService.deviations.map((deviation, at) =>
    told.has(SERVICE_FEATURES[at] ?? '') ? deviation : BLIND,
  );
  const scales = {
    ...snapshot.scales,
    perService: { ...snapshot.scales.perService, deviations },
    global: { ...snapshot.scales.global, deviations: snapshot.scales.global.deviations.map(() => BLIND) },
  };
  const actor = new TrainedActor(
    { ...snapshot, scales },
    { perService: rangesOf(SERVICE_FEATURES), global: rangesOf(GLOBAL_FEATURES) },
  );
  const training = { seed: 1, settings: {}, data: { what: 'headroom by priority' }, scores: {} };
  return JSON.stringify(writeModel(actor, ALLOCATION_NAMES, training));
}

function rangesOf(names: readonly string[]) {
  const most = Float64Array.from(names, (name) => (OF_LOAD.has(name) ? LOAD_MOST : 10));
  const least = Float64Array.from(names, () => -10);
  return { least, low: least, high: most, most };
}
