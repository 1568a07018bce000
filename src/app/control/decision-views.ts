/** Decisions and their reasons as people see them. */
import type { DecisionReason, MemberOutput, PoolDecision } from '../../core/control';
import type { DecisionView, ReasonView } from '../../core/control-desk';

/** Of what was not decided yet. */
export const NO_REASON: ReasonView = {
  reactivePerS: null,
  forecastPerS: null,
  effectivePerS: null,
  rule: 'nominal',
  clamps: [],
};

/** A reason as JSON can say it. */
export function reasonView(reason: DecisionReason): ReasonView {
  const { reactivePerS, effectivePerS } = reason;
  return { ...reason, reactivePerS: orNull(reactivePerS), effectivePerS: orNull(effectivePerS) };
}

/** What a decision changed. */
export function decisionViews(
  { pool, atMs, changed, outputs }: PoolDecision,
  before: ReadonlyMap<string, MemberOutput>,
  applied: boolean,
): readonly DecisionView[] {
  if (!changed) return [];
  return outputs.flatMap((output): DecisionView[] => {
    const old = before.get(output.id);
    if (old !== undefined && old.ratePerS === output.ratePerS && old.capacity === output.capacity) return [];
    return [{ atMs, pool, applied, ...output, reason: reasonView(output.reason) }];
  });
}

/** A figure as JSON can say it: null for what is not known. */
export function orNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
