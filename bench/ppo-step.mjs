/**
 * What learning costs where nothing else does: updates of the learner alone, and the policy's inference. Needs a build.
 *
 *   node bench/ppo-step.mjs [--services 8] [--features 20] [--global 6] [--actions 2] [--units 32] [--rounds 5]
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { formatSpread, spreadOf } from './harness/statistics.mjs';

const load = createRequire(import.meta.url);
const { PpoLearner } = load('../dist/learn/ppo/learner.js');
const { collectRollouts } = load('../dist/learn/vector-rollouts.js');

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '8' },
    features: { type: 'string', default: '20' },
    global: { type: 'string', default: '6' },
    actions: { type: 'string', default: '2' },
    units: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '5' },
  },
});
const SERVICES = Number(values.services);
const UNITS = Number(values.units);
const ROUNDS = Number(values.rounds);
const SEEN_AT_ONCE = 50;
const INFERENCES = 2_000;

/** Costs nothing: the same figures again and again. */
class Still {
  shape = {
    serviceFeatures: Number(values.features),
    globalFeatures: Number(values.global),
    serviceActions: Number(values.actions),
  };

  constructor(services) {
    const figure = (_, at) => Math.sin(at);
    this.observation = {
      services,
      perService: Float64Array.from({ length: services * this.shape.serviceFeatures }, figure),
      global: Float64Array.from({ length: this.shape.globalFeatures }, figure),
    };
  }

  reset() {
    return this.observation;
  }

  step(action) {
    const reward = -(action[0] ** 2);
    return { observation: this.observation, reward, terms: { reward }, terminated: false, truncated: false };
  }
}

const environment = new Still(SERVICES);
const settings = {
  units: UNITS,
  valueUnits: UNITS,
  rollouts: 8,
  rolloutSteps: 128,
  epochs: 6,
  minibatches: 4,
  klTarget: 0,
};
const learner = new PpoLearner(environment.shape, settings, 1);
const { rollouts, rolloutSteps: steps, epochs } = learner.settings;
const collected = [];
const learned = [];
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
for (let round = -2; round < ROUNDS; round += 1) {
  const order = { seed: 1, update: learner.updates, rollouts, steps };
  const began = cpu();
  const got = collectRollouts(() => environment, learner.snapshot(), order);
  const between = cpu();
  learner.update(got);
  const ended = cpu();
  // The first update learns nothing yet, and the second warms up.
  if (round < 0) continue;
  collected.push((rollouts * steps) / (between - began));
  learned.push((rollouts * steps * epochs * SERVICES) / (ended - between));
}
const whole = (figure) => figure.toFixed(0);
const actor = learner.actor();
const many = new Still(SEEN_AT_ONCE).observation;
const inferences = [];
for (let round = 0; round < ROUNDS; round += 1) {
  const began = cpu();
  for (let at = 0; at < INFERENCES; at += 1) actor.act(many);
  inferences.push(((cpu() - began) * 1e6) / INFERENCES);
}
console.log(
  `${SERVICES} services, ${UNITS} units, ${learner.snapshot().parameters.length} parameters of the policy; CPU time`,
);
console.log(`acting and writing down, steps a second: ${formatSpread(spreadOf(collected), whole)}`);
console.log(`learning, services x steps x passes a second: ${formatSpread(spreadOf(learned), whole)}`);
console.log(
  `inference for ${SEEN_AT_ONCE} services, microseconds: ${formatSpread(spreadOf(inferences), whole)}`,
);
