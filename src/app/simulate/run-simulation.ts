/** Simulates a scenario at each of its loads, told of as it goes. */
import { setImmediate as breath } from 'node:timers/promises';
import { TidegateError } from '../../core/errors';
import { partDemand } from '../../simulate/demand';
import { WarmForecasters } from '../../simulate/forecasts';
import { POLICY_KINDS } from '../../simulate/policy/kinds';
import type { PolicyKind } from '../../simulate/policy/policy';
import type { Scenario } from '../../simulate/scenario';
import { LoadSimulation, type PolicyOutcome } from '../../simulate/simulation';

/** What came of the policies at one load. */
export interface LoadOutcome {
  /** The load as the scenario writes it. */
  readonly load: string;
  readonly policies: readonly PolicyOutcome[];
}

/** How to run. */
export interface SimulationJob {
  readonly scenario: Scenario;
  readonly policies: readonly PolicyKind[];
  readonly signal: AbortSignal;
  readonly onProgress: (part: number, what: string) => void;
}

/** Warming takes about so much of a run. */
const WARM_PART = 0.2;
/** Between two looks at signals and progress, ms. */
const BREATH_MS = 100;

/** The policies of these names, in the order of reports; all for undefined. @throws TidegateError TG_USAGE. */
export function policiesNamed(names: readonly string[] | undefined): readonly PolicyKind[] {
  const unknown = names?.find((name) => !POLICY_KINDS.has(name));
  if (unknown !== undefined) {
    throw new TidegateError('TG_USAGE', `there is no policy '${unknown}'`, {
      remedy: `name some of ${[...POLICY_KINDS.keys()].join(', ')}`,
    });
  }
  return [...POLICY_KINDS.values()].filter(({ name }) => names?.includes(name) ?? true);
}

/** Rejects with the signal's reason when it aborts. */
export async function runSimulation(job: SimulationJob): Promise<readonly LoadOutcome[]> {
  const { scenario, policies, signal, onProgress } = job;
  let next = Date.now() + BREATH_MS;
  const rest = async (part: number, what: string): Promise<void> => {
    if (Date.now() < next) return;
    onProgress(part, what);
    await breath();
    signal.throwIfAborted();
    next = Date.now() + BREATH_MS;
  };
  const warm = new WarmForecasters(scenario.arrivals, scenario.seed);
  const trained = partDemand(scenario, 'train');
  for (const [index, demand] of trained.entries()) {
    warm.warm(demand);
    await rest((WARM_PART * (index + 1)) / trained.length, 'train days');
  }
  const outcomes: LoadOutcome[] = [];
  for (const [index, { name, load }] of scenario.loads.entries()) {
    const simulation = new LoadSimulation(scenario, load, warm.at(load), policies);
    while (simulation.step()) {
      const done = (index + simulation.part) / scenario.loads.length;
      await rest(WARM_PART + (1 - WARM_PART) * done, `load ${name}`);
    }
    outcomes.push({ load: name, policies: simulation.outcomes() });
  }
  return outcomes;
}
