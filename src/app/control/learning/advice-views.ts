/** What a model advised, as people see it: the solver's share, the agent's change, and what moved it. */
import type { MemberAdvice, PoolAdvice, PoolDecision } from '../../../core/control';
import type { LearningAdviceView, LearningTermView } from '../../../core/learning';
import { orNull } from '../decision-views';
import type { ModelAdvisor } from './model-advisor';

/** Members that are told of, and terms of each; those whose advice changes most have terms where not all can. */
const MAX_MEMBERS = 1_000;
const MAX_TERMS = 5;

/** @param advisor who gave it. */
export function adviceViews(
  advice: PoolAdvice | undefined,
  decision: PoolDecision | undefined,
  advisor: Pick<ModelAdvisor, 'terms' | 'explains'> | undefined,
): readonly LearningAdviceView[] {
  const outputs = new Map((decision?.outputs ?? []).map((output) => [output.id, output]));
  const members = (advice?.members ?? [])
    .filter(({ demandFactor, keepFactor }) => Number.isFinite(demandFactor) && Number.isFinite(keepFactor))
    .slice(0, MAX_MEMBERS);
  const explained = new Set(
    [...members]
      .sort((a, b) => changeOf(b) - changeOf(a))
      .slice(0, advisor?.explains ?? 0)
      .map(({ id }) => id),
  );
  return members.map(({ id, demandFactor, keepFactor }) => {
    const output = outputs.get(id);
    const followed = output?.reason.advice;
    return {
      id,
      demandFactor,
      keepFactor,
      solverPerS: orNull(followed?.solverPerS),
      ratePerS: followed === undefined ? null : orNull(output?.ratePerS),
      terms: explained.has(id) ? largest(advisor?.terms(id) ?? []) : [],
    };
  });
}

function largest(terms: readonly LearningTermView[]): readonly LearningTermView[] {
  return terms
    .filter(({ effect }) => Number.isFinite(effect) && effect !== 0)
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect))
    .slice(0, MAX_TERMS);
}

function changeOf({ demandFactor }: MemberAdvice): number {
  return Math.abs(Math.log(demandFactor));
}
