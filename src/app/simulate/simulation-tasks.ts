/** What a simulation is parted into: each service's forecaster warmed, then each load run. A task comes to the same in any thread. */
import type { ModelState } from '../../forecast/model/model';
import { partDemand } from '../../simulate/demand';
import { WarmForecasters } from '../../simulate/forecasts';
import type { Scenario } from '../../simulate/scenario';
import { LoadSimulation, type PolicyOutcome } from '../../simulate/simulation';
import { policiesOf, type PolicyChoice } from './policies';

/** What came of the policies at one load. */
export interface LoadOutcome {
  /** The load as the scenario writes it. */
  readonly load: string;
  readonly policies: readonly PolicyOutcome[];
}

/** What every task is of. Structured-cloneable. */
export interface SimulationSetup {
  readonly scenario: Scenario;
  readonly policies: PolicyChoice;
  /** What {@link warmService} made of each service, in order; none before. */
  readonly states: readonly ModelState[];
}

/** A task: a service's place to be warmed, or a load's place to be run. */
export type SimulationTask =
  { readonly kind: 'warm'; readonly service: number } | { readonly kind: 'load'; readonly load: number };

/** What a task comes to. */
export type SimulationResult =
  | { readonly kind: 'warm'; readonly state: ModelState }
  | { readonly kind: 'load'; readonly outcome: LoadOutcome };

/** Warms services of a scenario, one by one. */
export function warming(scenario: Scenario): (service: number) => ModelState {
  const warm = new WarmForecasters(scenario.arrivals, scenario.seed);
  const demand = partDemand(scenario, 'train');
  return (service) => warm.warmed(service, demand[service] ?? new Float64Array());
}

/** One load's run, interval by interval: yields how far it has come, 0 to 1, and returns what came of it. */
export function* loadRun(setup: SimulationSetup, at: number): Generator<number, LoadOutcome> {
  const { scenario, policies, states } = setup;
  const { name, load } = scenario.loads[at] ?? { name: '', load: 1 };
  const warm = new WarmForecasters(scenario.arrivals, scenario.seed);
  for (const state of states) warm.take(state);
  const simulation = new LoadSimulation(scenario, load, warm.at(load), policiesOf(policies));
  while (simulation.step()) yield simulation.part;
  return { load: name, policies: simulation.outcomes() };
}
