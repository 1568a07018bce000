/** What actions mean: factors on the solver's demand and on what lenders keep. */
import type { MemberAdvice, PoolAdvice } from '../../core/control';
import { ACTIONS } from './features';

/** An action of so much, up or down, is the largest factor or its inverse; of 0 changes nothing. */
const FULL_ACTION = 2;

/** The factor of an action, from 1/maxFactor to maxFactor: even steps of an action are even steps of its logarithm. */
export function factorOf(action: number, maxFactor: number): number {
  const part = Math.min(1, Math.max(-1, action / FULL_ACTION));
  return Math.exp(part * Math.log(maxFactor));
}

/**
 * Advice of actions, row by row in the order of the members. Actions that are no numbers give factors that are none, which the controller
 * leaves out.
 */
export function adviceOf(
  model: string,
  madeAtMs: number,
  ids: readonly string[],
  actions: ArrayLike<number>,
  maxFactor: number,
): PoolAdvice {
  const members = ids.map((id, at): MemberAdvice => ({
    id,
    demandFactor: factorOf(actions[at * ACTIONS.length] ?? NaN, maxFactor),
    keepFactor: factorOf(actions[at * ACTIONS.length + 1] ?? NaN, maxFactor),
  }));
  return { model, madeAtMs, members };
}
