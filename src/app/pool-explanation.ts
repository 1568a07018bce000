/** What a running Tidegate says of a pool's learned allocator, in words. */
import type { LearningAdviceView, LearningView } from '../core/learning';
import { TidegateError } from '../core/errors';

const TIMEOUT_MS = 10_000;
const MAX_SWITCHES = 10;

/**
 * Asks a Tidegate's admin port.
 * @param base such as `http://127.0.0.1:8080`.
 * @throws TidegateError TG_CONTROL_UNAVAILABLE when nobody answers, or what the answer says.
 */
export async function askLearning(base: string, pool: string): Promise<LearningView> {
  let answer: Response;
  let body: unknown;
  try {
    const url = new URL(`/api/v1/pools/${encodeURIComponent(pool)}/learning`, base);
    answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    body = await answer.json();
  } catch (cause) {
    throw new TidegateError('TG_CONTROL_UNAVAILABLE', `nobody answers at ${base}`, {
      cause,
      remedy: 'start Tidegate, or name its admin port with --url',
    });
  }
  const { learning, code, message } = (body ?? {}) as Partial<Record<string, unknown>>;
  if (answer.ok && typeof learning === 'object' && learning !== null) return learning as LearningView;
  const unknown = code === 'TG_CONTROL_UNKNOWN_POOL' || code === 'TG_CONTROL_OFF';
  const said = typeof message === 'string' ? message : `${base} answers ${answer.status}`;
  throw new TidegateError(unknown ? code : 'TG_CONTROL_UNAVAILABLE', said);
}

/** A pool's learning as lines of text. */
export function explainLearning(view: LearningView): string {
  const { pool, mode, configuredMode, why, level, levelWhy, model, modelWhy, regret, unwatched } = view;
  const lines = [
    `pool ${pool}`,
    `  decides     ${LEVEL_WORDS[level] ?? level}${levelWhy === '' ? '' : ` (${levelWhy})`}`,
    `  learning    ${mode}, configured ${configuredMode}: ${why}`,
    `  model       ${model ?? 'none'}${modelWhy === '' ? '' : ` (${modelWhy})`}`,
  ];
  if (unwatched !== '') lines.push(`  regret      not known: ${unwatched}`);
  else if (regret !== null && regret.regret !== null) {
    const { solverLoss, agentLoss, pBetter, intervals } = regret;
    lines.push(
      `  regret      ${percent(regret.regret)} (solver ${percent(solverLoss)}, with the model ${percent(agentLoss)}, over ${intervals} intervals; by chance with ${pBetter.toPrecision(2)})`,
    );
  }
  for (const one of view.advice) lines.push(...memberLines(one));
  if (view.switches.length > 0) lines.push('switches');
  for (const { atMs, from, to, reason, why: cause } of view.switches.slice(0, MAX_SWITCHES))
    lines.push(`  ${new Date(atMs).toISOString()}  ${from} -> ${to}  ${reason}: ${cause}`);
  return `${lines.join('\n')}\n`;
}

const LEVEL_WORDS: Readonly<Record<string, string>> = {
  ppo: 'the model, over the solver',
  forecast: 'the solver, with forecasts',
  last: 'the solver, with what it saw last',
  configured: 'nobody: the configured shares hold',
};

function memberLines({
  id,
  demandFactor,
  keepFactor,
  solverPerS,
  ratePerS,
  terms,
}: LearningAdviceView): string[] {
  const rates =
    solverPerS === null || ratePerS === null
      ? 'not followed'
      : `solver ${solverPerS.toFixed(2)}/s, agent ${signed(ratePerS - solverPerS)}/s, decided ${ratePerS.toFixed(2)}/s`;
  const why = terms.map(({ name, effect }) => `${name} ${signed(effect)}`).join(', ');
  return [
    `  ${id}: demand x ${demandFactor.toFixed(3)}, keeps x ${keepFactor.toFixed(3)}; ${rates}`,
    ...(why === '' ? [] : [`    moved by ${why}`]),
  ];
}

function signed(figure: number): string {
  return `${figure < 0 ? '-' : '+'}${Math.abs(figure).toFixed(3)}`;
}

function percent(part: number | null): string {
  return part === null ? 'unknown' : `${(100 * part).toFixed(2)} %`;
}
