/** What a simulation writes as JSON: figures by policy and load. */
import type { SimulationFigures } from '../../simulate/tally';
import type { LoadOutcome } from './run-simulation';

/** Figures by the policy's name, then by the load as the scenario writes it. */
export type SimulationJson = Readonly<Record<string, Readonly<Record<string, SimulationFigures>>>>;

/** See the file's head. */
export function simulationJson(outcomes: readonly LoadOutcome[]): SimulationJson {
  const names = outcomes[0]?.policies.map(({ policy }) => policy) ?? [];
  const figuresAt = (
    { load, policies }: LoadOutcome,
    policy: string,
  ): readonly [string, SimulationFigures][] =>
    policies.flatMap((one) =>
      one.policy === policy ? [[load, one.figures] as [string, SimulationFigures]] : [],
    );
  return Object.fromEntries(
    names.map((policy) => [policy, Object.fromEntries(outcomes.flatMap((one) => figuresAt(one, policy)))]),
  );
}
