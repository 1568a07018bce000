/** The simulator's policy `ppo`: the product's controller as a trained policy advises it. */
import { controlledPolicy } from '../../simulate/policy/predictive';
import type { PolicyKind } from '../../simulate/policy/policy';
import type { Actor } from '../environment';
import { AllocationAdvisor, MAX_FACTOR } from './advisor';

/** @param maxFactor the bound of what is advised. */
export function ppoPolicy(actor: Actor, maxFactor: number = MAX_FACTOR): PolicyKind {
  return {
    name: 'ppo',
    create: ({ scenario }) =>
      controlledPolicy(scenario, new AllocationAdvisor(actor, 'ppo', maxFactor), maxFactor),
  };
}
