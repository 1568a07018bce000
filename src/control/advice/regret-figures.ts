/** What following a model would have cost, against the solver alone, on the same arrivals. */

/** Losses are weighted by priority: of what was asked for, 0 to 1. */
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
