/** Does the tasks of a training, in whichever thread it lives in. */
import { AllocationEnvironment } from '../../learn/allocation/allocation-environment';
import { EPISODE_RULES } from '../../learn/allocation/episode';
import { ppoPolicy } from '../../learn/allocation/ppo-policy';
import { warmSeries, type WarmSeries } from '../../learn/allocation/warm-series';
import { collect } from '../../learn/ppo/collect';
import { PpoLearner } from '../../learn/ppo/learner';
import { rolloutSeed } from '../../learn/ppo/seeds';
import { WarmForecasters } from '../../simulate/forecasts';
import type { PolicyKind } from '../../simulate/policy/policy';
import { PREDICTIVE } from '../../simulate/policy/predictive';
import { MINUTE_MS, type Scenario } from '../../simulate/scenario';
import { LoadSimulation } from '../../simulate/simulation';
import { warming } from '../simulate/simulation-tasks';
import type { LoadScore } from './learning-curves';
import type { TrainingPlan } from './training-plan';
import type { TrainingResult, TrainingTask } from './training-tasks';

/** What a thread can do for a plan. What takes long to make is made when it is first needed, and kept. */
export function trainingWork(plan: TrainingPlan): (task: TrainingTask) => TrainingResult {
  const { scenario, seed, settings } = plan;
  let warm: ReturnType<typeof warming> | undefined;
  let environment: AllocationEnvironment | undefined;
  return (task) => {
    switch (task.kind) {
      case 'warm':
        warm ??= warming(scenario);
        return { kind: 'warm', state: warm(task.service) };
      case 'rollout': {
        environment ??= environmentOf(plan);
        const seeded = rolloutSeed(seed, task.update, task.index);
        const rollout = collect(environment, task.snapshot, settings.rolloutSteps, seeded);
        return { kind: 'rollout', rollout };
      }
      case 'score':
        return { kind: 'score', score: scoreOf(plan, task) };
    }
  };
}

/** Episodes are as long as rollouts: all that is drawn to befall them is seen. Their first interval is the solver's. */
function environmentOf({ scenario, settings, reward, maxFactor }: TrainingPlan): AllocationEnvironment {
  const minutes = Math.ceil(((settings.rolloutSteps + 1) * scenario.intervalMs) / MINUTE_MS);
  const episodes = { ...EPISODE_RULES, minutes };
  return new AllocationEnvironment(scenario, seriesOf(scenario), { reward, maxFactor, episodes });
}

function seriesOf(scenario: Scenario): readonly WarmSeries[] {
  return scenario.services.map((service, at) => {
    const series = warmSeries(scenario, at);
    if (series === undefined)
      throw new Error(`nothing is asked of ${service.name} on the days to learn from`);
    return series;
  });
}

function scoreOf(
  { scenario, maxFactor }: TrainingPlan,
  task: Extract<TrainingTask, { kind: 'score' }>,
): LoadScore {
  const { name, load } = scenario.loads[task.load] ?? { name: '', load: 1 };
  const forecasters = new WarmForecasters(scenario.arrivals, scenario.seed);
  for (const state of task.states) forecasters.take(state);
  const kind: PolicyKind =
    task.learner === undefined ? PREDICTIVE : ppoPolicy(PpoLearner.restore(task.learner).actor(), maxFactor);
  const simulation = new LoadSimulation(scenario, load, forecasters.at(load), [kind]);
  while (simulation.step());
  const [outcome] = simulation.outcomes();
  if (outcome === undefined) throw new Error('a simulation has come to nothing');
  return { load: name, figures: outcome.figures };
}
