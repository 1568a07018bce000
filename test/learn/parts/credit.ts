/** A small environment in which what is done first pays only at the end. */
import { seededRandom } from '../../../src/forecast/numeric/random';
import type { Environment, LearnerObservation, StepResult } from '../../../src/learn/environment';

/** Two steps: the first action should be the sign that is shown then; what came of it is told, and paid, after the second. */
export class DelayedCredit implements Environment {
  readonly shape = { serviceFeatures: 2, globalFeatures: 0, serviceActions: 1 };
  private signs = new Float64Array(0);
  private kept = new Float64Array(0);
  private second = false;

  reset(seed: number): LearnerObservation {
    const random = seededRandom(seed);
    this.signs = Float64Array.from({ length: 2 }, () => (random.next() < 0.5 ? -1 : 1));
    this.kept = new Float64Array(2);
    this.second = false;
    return this.observe(this.signs);
  }

  step(action: Float64Array): StepResult {
    if (!this.second) {
      this.second = true;
      this.kept = action.map((figure) => Math.max(-1, Math.min(1, figure)));
      return this.result(0, false);
    }
    const worth = this.kept.reduce((sum, figure, at) => sum + (figure * (this.signs[at] ?? NaN)) / 2, 0);
    return this.result(worth, true);
  }

  private result(reward: number, terminated: boolean): StepResult {
    const observation = this.observe(new Float64Array(2));
    return { observation, reward, terms: { worth: reward }, terminated, truncated: false };
  }

  private observe(shown: Float64Array): LearnerObservation {
    const perService = Float64Array.of(shown[0] ?? NaN, +this.second, shown[1] ?? NaN, +this.second);
    return { services: 2, perService, global: new Float64Array(0) };
  }
}
