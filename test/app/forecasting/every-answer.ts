/** Asks everything there is to ask of the control path, and holds the answers against their description. */
import type { AskName, ForecastAsks } from '../../../src/core/forecast-desk';
import { HORIZONS, LEVELS } from '../../../src/core/forecasts';
import { mistakes } from '../../admin/answer-schemas';
import type { SimulatedControl } from './simulated-control';

const PAGE = { offset: 0, limit: 1_000 };
const PATHS: Readonly<Partial<Record<AskName, string>>> = {
  classes: 'get /api/v1/classes',
  series: 'get /api/v1/series',
  prediction: 'get /api/v1/predictions',
  accuracy: 'get /api/v1/accuracy',
  accuracyHistory: 'get /api/v1/accuracy/history',
  anomalies: 'get /api/v1/anomalies',
  models: 'get /api/v1/models',
  rollback: 'post /api/v1/models/rollback',
  refit: 'post /api/v1/models/refit',
  costs: 'get /api/v1/costs',
  alerts: 'get /api/v1/alerts',
  replicas: 'get /api/v1/replicas',
  status: 'get /api/v1/forecasting',
};

/** Where a value holds a number that JSON cannot, as a path; undefined when nowhere. */
function oddNumber(value: unknown, path = '$'): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${path} is ${value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = oddNumber(inner, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is wrong with the answers of now; nothing else may ever be the case. @param ids of classes there are. */
export async function wrongAnswers(
  sim: SimulatedControl,
  ids: readonly string[],
): Promise<readonly unknown[]> {
  const wrong: unknown[] = [];
  const look = async <N extends AskName>(name: N, ask: ForecastAsks[N]['ask']): Promise<void> => {
    const answer = await sim.ask(name, ask);
    const odd = oddNumber(answer);
    if (odd !== undefined) wrong.push(`${name} ${JSON.stringify(ask)}: ${odd}`);
    const found = mistakes(
      PATHS[name] ?? name,
      '200',
      JSON.parse(JSON.stringify(answer)),
    ) as readonly unknown[];
    if (found.length > 0) wrong.push({ name, ask, found });
    if (name === 'prediction') wrong.push(...disorder(answer as ForecastAsks['prediction']['answer']));
  };
  await look('classes', PAGE);
  await look('accuracy', PAGE);
  await look('anomalies', PAGE);
  await look('costs', PAGE);
  await look('alerts', {});
  await look('replicas', {});
  await look('status', {});
  for (const classId of ids) {
    await look('models', { classId });
    await look('accuracyHistory', { classId, horizon: '1h', measure: 'mae' });
    for (const resolutionMs of [1_000, 10_000, 60_000, 600_000] as const)
      await look('series', { classId, figure: 'denied', resolutionMs });
    for (const horizon of HORIZONS) {
      for (const level of LEVELS) {
        await look('prediction', { classId, figure: 'hits', horizon, level });
        await look('prediction', { classId, figure: 'cpu', horizon, level });
      }
    }
  }
  const odd = oddNumber(sim.figures.at(-1) ?? {});
  if (odd !== undefined) wrong.push(`figures: ${odd}`);
  return wrong;
}

function disorder({ classId, horizon, steps }: ForecastAsks['prediction']['answer']): readonly string[] {
  return steps.flatMap(({ lower, mean, upper }, index) =>
    0 <= lower && lower <= mean && mean <= upper
      ? []
      : [`${classId} ${horizon} step ${index}: ${lower} ${mean} ${upper}`],
  );
}
