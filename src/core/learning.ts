/** The learned allocator of pools as it is told: plain data, structured-cloneable. */
import type { PoolMode } from './control';

/** What a person has said: a mode, or `auto` to go on by evidence again. */
export interface LearningOrder {
  readonly pool: string;
  readonly mode: PoolMode | 'auto';
  readonly author: string;
  readonly reason: string;
  readonly setAtMs: number;
}

/** The modes that a person can order. */
export const LEARNING_ORDERS = ['off', 'shadow', 'active', 'auto'] as const;

/** What following a model would have cost, against the solver alone, on the same arrivals. Losses are weighted by priority: of what was asked for, 0 to 1. */
export interface RegretFigures {
  /** The version of the model that was measured. */
  readonly model: string;
  readonly windowMs: number;
  /** Intervals in the window, and how long has been measured since the model came, ms: it only grows. */
  readonly intervals: number;
  readonly measuredMs: number;
  /** Null without demand. */
  readonly solverLoss: number | null;
  readonly agentLoss: number | null;
  /** The agent's loss less the solver's: negative where the agent is better. */
  readonly regret: number | null;
  /** How probable so large a gain, and so large a loss, would be if the agent made no difference: one-sided Wilcoxon signed rank. */
  readonly pBetter: number;
  readonly pWorse: number;
  /** Spans with demand, and those of them in which the two differ: what the test stands on. */
  readonly spans: number;
  readonly differing: number;
  /** Over the last tenth of the window: the regret, and the spans in which the two differ. */
  readonly recentRegret: number | null;
  readonly recentDiffering: number;
  /** Whether the agent is better with the confidence that is set, at this look alone. */
  readonly confident: boolean;
}

/** What a pool's leader tells of learning, for whoever takes over. */
export interface PublishedLearning {
  readonly model: string;
  readonly mode: PoolMode;
}

/** A change of who decides (`ppo`, `forecast`, `last`, `configured`), or of the mode of learning. */
export interface LearningSwitchView {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  /** A short word, for counting. */
  readonly reason: string;
  readonly why: string;
}

/** Something that moved the agent: what it saw, and what the advice would be without it. */
export interface LearningTermView {
  readonly name: string;
  /** As the model sees it. */
  readonly value: number;
  /** What it adds to the logarithm of the factor on demand, against its usual value. */
  readonly effect: number;
}

/** What the agent advised for a member, and what came of it. */
export interface LearningAdviceView {
  readonly id: string;
  readonly demandFactor: number;
  readonly keepFactor: number;
  /** What the solver alone would have given, and what was decided; null where the advice is not followed. */
  readonly solverPerS: number | null;
  readonly ratePerS: number | null;
  /** The largest first. */
  readonly terms: readonly LearningTermView[];
}

/** Learning in a pool. */
export interface LearningView {
  readonly pool: string;
  /** What applies: the lesser of the pool's mode and what learning has earned or was ordered. */
  readonly mode: PoolMode;
  readonly configuredMode: PoolMode;
  readonly why: string;
  readonly order: LearningOrder | null;
  /** Who decides: `ppo`, `forecast`, `last` or `configured`; and what keeps a better level from it. */
  readonly level: string;
  readonly levelWhy: string;
  /** The version of the model in use; null for none. */
  readonly model: string | null;
  /** What became of the last attempt to load, or train, one; empty for nothing to tell. */
  readonly modelWhy: string;
  /** How long the last advice took, ms, and the part of what was seen that is beyond what it was trained on; null without any. */
  readonly inferenceMs: number | null;
  readonly outOfRange: number | null;
  /** Why the regret is not known now; empty when it is. */
  readonly unwatched: string;
  readonly regret: RegretFigures | null;
  /** The newest first. */
  readonly switches: readonly LearningSwitchView[];
  /** How often each reason has switched it, since it was started. */
  readonly counts: Readonly<Record<string, number>>;
  /** The last advice, member by member. */
  readonly advice: readonly LearningAdviceView[];
}
