/**
 * What settings of PPO come to in a made environment of known best actions: the part of their gain that a trained policy has. Needs
 * a build.
 *
 *   node bench/ppo-settings.mjs [--seeds 2] [--settings '[{}, {"ratio": "joint"}]']
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const load = createRequire(import.meta.url);
const { PpoLearner } = load('../dist/learn/ppo/learner.js');
const { collectRollouts } = load('../dist/learn/vector-rollouts.js');
const { seededRandom } = load('../dist/forecast/numeric/random.js');

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2' },
    settings: {
      type: 'string',
      default: JSON.stringify([
        {},
        { ratio: 'joint' },
        { discount: 0.95, traceDecay: 0.95 },
        { epochs: 12 },
        { ratio: 'joint', epochs: 6, discount: 0.95, traceDecay: 0.95, learningRate: 3e-4 },
      ]),
    },
  },
});
const UPDATES = 60;
const SERVICES = 8;
const FEATURES = 23;
const GLOBAL = 12;
const EPISODE_STEPS = 100;
/** Of a service's features, the last four say which of four kinds it is; the best action differs by kind. */
const KIND_AT = FEATURES - 4;
const KINDS = [0.8, 0.3, -0.2, -0.6];

/** Features that wander, others that are noise; half of what an action gains is paid a step later, with noise. */
class Made {
  shape = { serviceFeatures: FEATURES, globalFeatures: GLOBAL, serviceActions: 2 };

  reset(seed) {
    this.random = seededRandom(seed);
    this.passed = 0;
    this.owed = 0;
    this.perService = Float64Array.from({ length: SERVICES * FEATURES }, (_, at) => {
      const feature = at % FEATURES;
      const kind = Math.floor(at / FEATURES) >> 1;
      return feature < KIND_AT ? this.random.normal() : Number(feature - KIND_AT === kind);
    });
    this.global = Float64Array.from({ length: GLOBAL }, () => this.random.normal());
    return this.seen();
  }

  seen() {
    return { services: SERVICES, perService: this.perService, global: this.global };
  }

  best() {
    const first = (service) => this.perService[service * FEATURES];
    let mean = 0;
    for (let service = 0; service < SERVICES; service += 1) mean += first(service) / SERVICES;
    return Array.from({ length: SERVICES }, (_, service) => {
      const level = KINDS[service >> 1];
      const second = Math.max(-1, Math.min(1, this.perService[service * FEATURES + 1]));
      return [level + 0.3 * Math.tanh(first(service) - mean), -0.5 * level * second];
    }).flat();
  }

  /** What an action is better than none, and what the best is. */
  gains(action) {
    const best = this.best();
    const most = best.reduce((sum, figure) => sum + figure ** 2, 0);
    return { most, gain: most - best.reduce((sum, figure, at) => sum + (action[at] - figure) ** 2, 0) };
  }

  step(action) {
    const { gain } = this.gains(action);
    const reward = gain / 2 + this.owed + this.random.normal();
    this.owed = gain / 2;
    for (let at = 0; at < this.perService.length; at += 1) {
      if (at % FEATURES < KIND_AT) {
        this.perService[at] = 0.9 * this.perService[at] + 0.436 * this.random.normal();
      }
    }
    for (let at = 0; at < GLOBAL; at += 1) this.global[at] = this.random.normal();
    this.passed += 1;
    const truncated = this.passed >= EPISODE_STEPS;
    return { observation: this.seen(), reward, terms: { reward }, terminated: false, truncated };
  }
}

/** The part of the best actions' gain that a policy has, trained with a seed, over episodes it has not seen. */
function train(settings, seed) {
  const environment = new Made();
  const shape = { updates: UPDATES, rollouts: 8, rolloutSteps: 64 };
  const learner = new PpoLearner(environment.shape, { ...shape, ...settings }, seed);
  const { rollouts, rolloutSteps: steps, updates } = learner.settings;
  while (learner.updates <= updates) {
    const order = { seed, update: learner.updates, rollouts, steps };
    learner.update(collectRollouts(() => environment, learner.snapshot(), order));
  }
  const actor = learner.actor();
  let gained = 0;
  let most = 0;
  for (let episode = 0; episode < 5; episode += 1) {
    let seen = environment.reset(1e6 + episode);
    for (let step = 0; step < EPISODE_STEPS; step += 1) {
      const action = actor.act(seen);
      const figures = environment.gains(action);
      gained += figures.gain;
      most += figures.most;
      seen = environment.step(action).observation;
    }
  }
  return gained / most;
}

for (const settings of JSON.parse(values.settings)) {
  const began = process.cpuUsage().user;
  const parts = Array.from({ length: Number(values.seeds) }, (_, seed) => train(settings, seed + 1));
  const seconds = (process.cpuUsage().user - began) / 1e6;
  const shown = parts.map((part) => `${(100 * part).toFixed(0)} %`).join(', ');
  console.log(`${JSON.stringify(settings)}: ${shown} of the best; ${seconds.toFixed(0)} s of CPU`);
}
