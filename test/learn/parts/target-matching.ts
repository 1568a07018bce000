/** A small environment with a known best: each service's action should come near a target that its own figures and the others' tell. */
import { seededRandom, type Random } from '../../../src/forecast/numeric/random';
import type { Environment, LearnerObservation, StepResult } from '../../../src/learn/environment';
import type { PpoLearner } from '../../../src/learn/ppo/learner';

/** Episodes of 16 steps with 2 to 5 services; the best action is half of what is seen less half of the mean of all. */
export class TargetMatching implements Environment {
  readonly shape = { serviceFeatures: 2, globalFeatures: 1, serviceActions: 1 };
  private random: Random = seededRandom(0);
  private services = 0;
  private passed = 0;
  private perService = new Float64Array(0);
  private readonly global = new Float64Array(1);

  reset(seed: number): LearnerObservation {
    this.random = seededRandom(seed);
    this.services = 2 + Math.floor(this.random.next() * 4);
    this.passed = 0;
    return this.draw();
  }

  /** What should be done now. */
  best(): Float64Array {
    const { services, perService } = this;
    const seen = Float64Array.from({ length: services }, (_, service) => perService[2 * service]! / 10);
    const mean = seen.reduce((sum, one) => sum + one, 0) / services;
    return seen.map((one) => 0.5 * one - 0.5 * mean);
  }

  step(action: Float64Array): StepResult {
    const best = this.best();
    let miss = 0;
    for (let service = 0; service < this.services; service += 1) {
      miss += (action[service]! - best[service]!) ** 2 / this.services;
    }
    this.passed += 1;
    const truncated = this.passed === 16;
    return {
      observation: this.draw(),
      reward: -miss,
      terms: { miss: -miss },
      terminated: false,
      truncated,
    };
  }

  private draw(): LearnerObservation {
    const { services } = this;
    this.perService = Float64Array.from({ length: services * 2 }, (_, at) =>
      at % 2 === 0 ? 10 * this.random.normal() : this.random.normal(),
    );
    this.global[0] = this.random.next();
    return { services, perService: this.perService, global: this.global };
  }
}

/** The part of the squares of the best actions that an actor misses, over fresh episodes. */
export function missOf(learner: PpoLearner): number {
  const environment = new TargetMatching();
  const actor = learner.actor();
  let miss = 0;
  let all = 0;
  for (let seed = 1_000; seed < 1_010; seed += 1) {
    let observation = environment.reset(seed);
    for (let over = false; !over;) {
      const best = environment.best();
      const action = actor.act(observation);
      best.forEach((figure, at) => {
        miss += (figure - (action[at] ?? NaN)) ** 2;
        all += figure ** 2;
      });
      const result = environment.step(action);
      observation = result.observation;
      over = result.truncated;
    }
  }
  return miss / all;
}
