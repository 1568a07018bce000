/** A model that advises a pool: in service, and in the thread that replays. */
import { TidegateError } from '../../../core/errors';
import type { MemberPolicy, PoolAdvice, PoolDecision, PoolPolicy, PoolSeen } from '../../../core/control';
import type { LearningTermView } from '../../../core/learning';
import { AllocationAdvisor } from '../../../learn/allocation/advisor';
import { factorOf } from '../../../learn/allocation/factors';
import {
  ACTIONS,
  ALLOCATION_NAMES,
  ALLOCATION_SHAPE,
  GLOBAL_FEATURES,
  SERVICE_FEATURES,
} from '../../../learn/allocation/features';
import type { LearnerObservation } from '../../../learn/environment';
import { readModel, requireFeatures, type LearnedModel } from '../../../learn/model/model';
import type { ReplayAdvisor } from '../../../learn/replay/replay-world';
import type { ModelText, WatchRules } from './learning-messages';

/** Advises in service as in replay, and says why. */
export interface ModelAdvisor extends ReplayAdvisor {
  /** The part of what was seen last that is beyond what it was trained on, 0 to 1. */
  readonly outOfRange: number;
  /** For how many members it can say at once what moved its advice. */
  readonly explains: number;
  /** What moved the last advice for a member. */
  terms(id: string): readonly LearningTermView[];
}

/** Rows that are put through the network for one explanation, at most: some 0.2 s. */
const MAX_ROWS = 10_000;
const FEATURES = SERVICE_FEATURES.length + GLOBAL_FEATURES.length;

/** @throws TidegateError TG_LEARN_BAD_MODEL or TG_LEARN_OTHER_MODEL. */
export function advisorOf({ version, text }: ModelText, { maxFactor }: WatchRules): ModelAdvisor {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TidegateError('TG_LEARN_BAD_MODEL', 'the model is not whole, or is no JSON', { cause });
  }
  const model = readModel(json);
  requireFeatures(model, ALLOCATION_SHAPE, ALLOCATION_NAMES);
  return new LearnedModelAdvisor(model, version, maxFactor);
}

class LearnedModelAdvisor implements ModelAdvisor {
  outOfRange = 0;
  private readonly inner: AllocationAdvisor;
  private advice: PoolAdvice | undefined;
  private ids: readonly string[] = [];

  constructor(
    private readonly model: LearnedModel,
    version: string,
    private readonly maxFactor: number,
  ) {
    this.inner = new AllocationAdvisor(model.actor, version, maxFactor);
  }

  get explains(): number {
    return Math.floor(MAX_ROWS / Math.max(1, FEATURES * this.ids.length));
  }

  advise(
    nowMs: number,
    policy: PoolPolicy,
    members: readonly MemberPolicy[],
    seen: PoolSeen,
  ): PoolAdvice | undefined {
    const advice = this.inner.advise(nowMs, policy, members, seen);
    if (advice === this.advice) return advice;
    this.advice = advice;
    const { observation } = this.inner;
    this.outOfRange = observation === undefined ? 0 : this.model.actor.outOfRange(observation);
    this.ids = advice?.members.map(({ id }) => id) ?? [];
    return advice;
  }

  decided(decision: PoolDecision): void {
    this.inner.decided(decision);
  }

  /**
   * By occlusion (M. D. Zeiler and R. Fergus, 2014): each figure in turn is put to what it usually is, its mean while learning, and what then
   * becomes of the advice says what the figure did.
   */
  terms(id: string): readonly LearningTermView[] {
    const { observation } = this.inner;
    const row = this.ids.indexOf(id);
    if (observation === undefined || row < 0 || observation.services !== this.ids.length) return [];
    const { services, perService, global } = observation;
    const copy = { services, perService: perService.slice(), global: global.slice() };
    const { scales } = this.model.actor.snapshot;
    const whole = this.logFactor(copy, row);
    const without = (figures: Float64Array, at: number, usual: number): number => {
      const kept = figures[at] ?? 0;
      figures[at] = usual;
      const effect = whole - this.logFactor(copy, row);
      figures[at] = kept;
      return effect;
    };
    const own = SERVICE_FEATURES.map((name, at): LearningTermView => {
      const place = row * SERVICE_FEATURES.length + at;
      const value = copy.perService[place] ?? 0;
      return { name, value, effect: without(copy.perService, place, scales.perService.means[at] ?? 0) };
    });
    const common = GLOBAL_FEATURES.map((name, at): LearningTermView => {
      const value = copy.global[at] ?? 0;
      return { name: `all.${name}`, value, effect: without(copy.global, at, scales.global.means[at] ?? 0) };
    });
    return [...own, ...common];
  }

  private logFactor(observation: LearnerObservation, row: number): number {
    const action = this.model.actor.act(observation)[row * ACTIONS.length] ?? NaN;
    return Math.log(factorOf(action, this.maxFactor));
  }
}
