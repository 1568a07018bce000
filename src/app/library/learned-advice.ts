/** A model that advises a library's controller, and what speaks against following it. */
import { adviceBar } from '../../control/advice/advice-bars';
import type { Bar } from '../../control/advice/advice-chain';
import type {
  MemberPolicy,
  PoolAdvice,
  PoolDecision,
  PoolMode,
  PoolPolicy,
  PoolSeen,
} from '../../core/control';
import { TidegateError } from '../../core/errors';
import { AllocationAdvisor } from '../../learn/allocation/advisor';
import type { TrainedActor } from '../../learn/model/trained-actor';
import { allocationModel, maxFactorOf, modelFromJson, modelFromText } from '../training/model-file';

/** See the file's head. Nothing but its constructor throws: what fails is a fault of the advice. */
export class LearnedAdvice {
  readonly version: string;
  readonly maxFactor: number;
  private readonly actor: TrainedActor;
  private readonly advisor: AllocationAdvisor;
  private advice: PoolAdvice | undefined;
  private fault = '';
  private tookMs = 0;

  /** @throws TidegateError TG_LEARN_BAD_MODEL or TG_LEARN_OTHER_MODEL. */
  constructor(
    model: unknown,
    private policy: PoolPolicy,
    private members: readonly MemberPolicy[],
    private readonly preciseMs: () => number,
  ) {
    const file = allocationModel(typeof model === 'string' ? modelFromText(model) : modelFromJson(model));
    this.version = file.version;
    this.actor = file.model.actor;
    this.maxFactor = maxFactorOf(file.model);
    this.advisor = new AllocationAdvisor(this.actor, file.version, this.maxFactor);
  }

  /** Takes the pool as it is now. */
  use(policy: PoolPolicy, members: readonly MemberPolicy[]): void {
    this.policy = policy;
    this.members = members;
  }

  /** Before a tick of the controller. @returns what holds from now on, whether or not it is followed. */
  look(nowMs: number, seen: PoolSeen): PoolAdvice | undefined {
    const fromMs = this.preciseMs();
    try {
      this.advice = this.advisor.advise(nowMs, this.policy, this.members, seen);
      this.fault = '';
    } catch (thrown) {
      this.advice = undefined;
      this.fault = TidegateError.from(thrown).message;
    }
    this.tookMs = this.preciseMs() - fromMs;
    return this.advice;
  }

  /** After it. */
  decided(decision: PoolDecision): void {
    this.advisor.decided(decision);
  }

  /** The part of what it saw last that is beyond what it was trained on. */
  private get outOfRange(): number {
    const { observation } = this.advisor;
    return observation === undefined ? 0 : this.actor.outOfRange(observation);
  }

  /** What keeps it from being followed; undefined for nothing. */
  bar(nowMs: number, mode: PoolMode, seen: PoolSeen): Bar | undefined {
    const { policy, members } = this;
    const anomalous = seen.members.filter(({ forecast }) => forecast?.anomalous === true).length;
    return adviceBar({
      nowMs,
      mode,
      why: 'as it was made',
      model: true,
      advice: this.advice,
      lifeMs: policy.intervalMs + policy.tickMs,
      fault: this.fault,
      tookMs: this.tookMs,
      members: new Set(members.map(({ id }) => id)),
      maxFactor: this.maxFactor,
      outOfRange: this.outOfRange,
      anomalous: anomalous / Math.max(1, seen.members.length),
      drifted: 0,
      heard: seen.members.some(({ demandPerS }) => demandPerS >= 0),
      unwatched: '',
    });
  }
}
