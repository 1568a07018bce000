/** Trains: rollouts, update, and now and then a look at the days held out; between any two updates it can end and go on later. */
import type { ModelState } from '../../forecast/model/model';
import { PpoLearner } from '../../learn/ppo/learner';
import type { EnvironmentShape } from '../../learn/environment';
import type { UpdateFigures } from '../../learn/ppo/update-figures';
import { scoreAgainst, type HeldOutScore, type LoadScore } from './learning-curves';
import type { Crew } from './thread-crew';
import { modelFromText } from './model-file';
import { TUNING_RADIUS, type TrainingPlan } from './training-plan';
import type { BestPolicy, TrainingState } from './training-state';
import type { TrainingResult, TrainingTask } from './training-tasks';

/** What a training needs of where it runs. */
export interface TrainingJob {
  readonly plan: TrainingPlan;
  readonly shape: EnvironmentShape;
  readonly crew: Crew<TrainingTask, TrainingResult>;
  /** CPU time of the whole training since some moment, ms, and how much there is of it. */
  readonly cpuMs: () => number;
  readonly budgetMs: number;
  /** Where it goes on from. */
  readonly from?: TrainingState | undefined;
  /** Keeps what it takes to go on. Called between updates. */
  readonly keep: (state: TrainingState) => void;
  readonly onProgress: (part: number, what: string) => void;
}

/** How a training ended: with all of its updates, or with its budget. */
export type TrainingEnd = 'planned' | 'budget';

/** What came of it. */
export interface TrainingOutcome extends TrainingState {
  readonly end: TrainingEnd;
  readonly best: BestPolicy;
}

/** Checkpoints come no further apart than this, ms of CPU time. */
const KEEP_EVERY_MS = 20_000;

/** Rejects with what a round of the crew fails of, after the last state was kept. */
export async function runTraining(job: TrainingJob): Promise<TrainingOutcome> {
  const training = new Training(job);
  try {
    return await training.run();
  } catch (thrown) {
    training.keep();
    throw thrown;
  }
}

/** What has learned nothing yet, or the model that is to be tuned. */
function beginning({ from, settings, seed }: TrainingPlan, shape: EnvironmentShape): PpoLearner {
  if (from === undefined) return new PpoLearner(shape, settings, seed);
  return PpoLearner.startingFrom(modelFromText(from).model.actor, settings, seed, TUNING_RADIUS);
}

class Training {
  private readonly learner: PpoLearner;
  private readonly updates: UpdateFigures[];
  private readonly heldOut: HeldOutScore[];
  private solver: readonly LoadScore[];
  private best: BestPolicy | undefined;
  private readonly spentMs: number;
  private readonly begunMs: number;
  private keptMs = 0;
  private states: readonly ModelState[] = [];

  constructor(private readonly job: TrainingJob) {
    const { plan, shape, from } = job;
    this.learner = from?.learner ?? beginning(plan, shape);
    this.updates = [...(from?.curves.updates ?? [])];
    this.heldOut = [...(from?.curves.heldOut ?? [])];
    this.solver = from?.curves.solver ?? [];
    this.best = from?.best;
    this.spentMs = from?.cpuMs ?? 0;
    this.begunMs = job.cpuMs();
  }

  async run(): Promise<TrainingOutcome> {
    const { job, learner } = this;
    await this.warm();
    if (this.isDue()) await this.score();
    while (learner.updates < this.last && this.cpuMs() < job.budgetMs) {
      await this.update();
      if (this.isDue()) await this.score();
      if (this.isDue() || this.cpuMs() - this.keptMs > KEEP_EVERY_MS) this.keep();
    }
    this.keep();
    // A budget may end between two looks, and the last updates be the best. What goes on later has not looked here.
    const best = await this.score();
    const end = learner.updates < this.last ? 'budget' : 'planned';
    return { ...this.state(), best, end };
  }

  /** The first update only learns how large figures are. */
  private get last(): number {
    return this.learner.settings.updates + 1;
  }

  /** Whether the days held out are to be looked at after the updates so far. */
  private isDue(): boolean {
    const { updates } = this.learner;
    return updates % this.job.plan.scoreEvery === 0 || updates === this.last;
  }

  /** Keeps what it takes to go on. */
  keep(): void {
    this.job.keep(this.state());
    this.keptMs = this.cpuMs();
  }

  private state(): TrainingState {
    const { learner, updates, heldOut, solver, best } = this;
    return { learner, curves: { updates, heldOut, solver }, best, cpuMs: this.cpuMs() };
  }

  private cpuMs(): number {
    return this.spentMs + this.job.cpuMs() - this.begunMs;
  }

  private tell(what: string): void {
    const { learner, job } = this;
    const part = Math.max(learner.updates / (learner.settings.updates + 1), this.cpuMs() / job.budgetMs);
    job.onProgress(Math.min(1, part), what);
  }

  private async warm(): Promise<void> {
    const { crew, plan } = this.job;
    this.tell('warming forecasters');
    const tasks = plan.scenario.services.map((_, service): TrainingTask => ({ kind: 'warm', service }));
    const results = await crew.round(tasks);
    this.states = results.flatMap((one) => (one.kind === 'warm' ? [one.state] : []));
  }

  private async update(): Promise<void> {
    const { learner, job } = this;
    this.tell(`update ${learner.updates} of ${learner.settings.updates}`);
    const snapshot = learner.snapshot();
    const tasks = Array.from({ length: learner.settings.rollouts }, (_, index): TrainingTask => {
      return { kind: 'rollout', snapshot, update: learner.updates, index };
    });
    const results = await job.crew.round(tasks);
    const rollouts = results.flatMap((one) => (one.kind === 'rollout' ? [one.rollout] : []));
    this.updates.push(learner.update(rollouts));
  }

  /** Looks at the days held out, if that has not been done since the last update. @returns the best policy so far. */
  private async score(): Promise<BestPolicy> {
    const { learner, heldOut } = this;
    const { updates } = learner;
    if (this.best !== undefined && heldOut.at(-1)?.updates === updates) return this.best;
    this.tell('days held out');
    if (this.solver.length === 0) this.solver = await this.scoreWith(undefined);
    const saved = learner.save();
    const loads = await this.scoreWith(saved);
    const score = scoreAgainst(this.solver, loads);
    heldOut.push({ updates, loads, score });
    if (this.best === undefined || score < this.best.score) this.best = { updates, score, learner: saved };
    return this.best;
  }

  private async scoreWith(learner: unknown): Promise<readonly LoadScore[]> {
    const { crew, plan } = this.job;
    const { states } = this;
    const tasks = plan.scenario.loads.map((_, load): TrainingTask => ({
      kind: 'score',
      load,
      states,
      learner,
    }));
    const results = await crew.round(tasks);
    return results.flatMap((one) => (one.kind === 'score' ? [one.score] : []));
  }
}
