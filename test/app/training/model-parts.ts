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

/** A model that allocates by chance: its last layer's weights are as large as they come. */
export function wildModel(seed: number): ModelDocument {
  const facts = { seed, settings: {}, data: { services: 2 }, scores: { held_out: 1.5 } };
  const learner = new PpoLearner(ALLOCATION_SHAPE, { units: 4, valueUnits: 4, lastGain: 10 }, seed);
  return writeModel(learner.actor(), ALLOCATION_NAMES, facts);
}
