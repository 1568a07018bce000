/** Small models to keep and to lose. */
import type { EnvironmentShape } from '../../../src/learn/environment';
import { ALLOCATION_NAMES, ALLOCATION_SHAPE } from '../../../src/learn/allocation/features';
import { writeModel, type ModelDocument } from '../../../src/learn/model/model';
import { PpoLearner } from '../../../src/learn/ppo/learner';

const SHAPE: EnvironmentShape = { serviceFeatures: 2, globalFeatures: 1, serviceActions: 2 };

/** A model that learned nothing: of each seed another. */
export function smallModel(seed: number): ModelDocument {
  const names = { perService: ['demand', 'queue'], global: ['load'], actions: ['demand', 'keep'] };
  const facts = { seed, settings: { units: 3 }, data: { days: 2 }, scores: { heldOut: 0.97 } };
  return writeModel(new PpoLearner(SHAPE, { units: 3, valueUnits: 3 }, seed).actor(), names, facts);
}

/**
 * A model that allocates by chance: its last layer's weights are as large as they come.
 * @param farthest features up to it are within what it has seen; 0: it has seen nothing.
 */
export function wildModel(seed: number, farthest = 0): ModelDocument {
  const facts = { seed, settings: {}, data: { services: 2 }, scores: { held_out: 1.5 } };
  const learner = new PpoLearner(ALLOCATION_SHAPE, { units: 4, valueUnits: 4, lastGain: 10 }, seed);
  const ends = (features: number): Float64Array =>
    Float64Array.from({ length: 2 * features }, (_, at) => (at < features ? -farthest : farthest));
  const segment = {
    ...{ steps: 1, services: Int32Array.of(1, 1), terminated: false, whole: true },
    perService: ends(ALLOCATION_SHAPE.serviceFeatures),
    global: ends(ALLOCATION_SHAPE.globalFeatures),
    actions: new Float64Array(ALLOCATION_SHAPE.serviceActions),
    logProbabilities: new Float64Array(1),
    rewards: new Float64Array(1),
    credits: new Float64Array(1),
  };
  learner.update([{ segments: [segment], terms: {} }]);
  return writeModel(learner.actor(), ALLOCATION_NAMES, facts);
}
