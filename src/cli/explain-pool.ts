/** `tidegate explain-pool NAME`: who decides for a pool that is served, what its model advises, and what moved it. */
import { askLearning, explainLearning } from '../app/pool-explanation';
import { TidegateError } from '../core/errors';
import { readOptions } from './arguments';
import type { CommandInput } from './command';
import { settingsFor } from './settings';

const OPTIONS = { url: { type: 'string' }, json: { type: 'boolean' } } as const;

/** @throws TidegateError TG_USAGE, TG_CONTROL_UNKNOWN_POOL, TG_CONTROL_OFF or TG_CONTROL_UNAVAILABLE. */
export async function explainPool(input: CommandInput): Promise<void> {
  const { values, positionals } = readOptions(input.rest, OPTIONS, true);
  const [pool, ...more] = positionals;
  if (pool === undefined || more.length > 0)
    throw new TidegateError('TG_USAGE', 'explain-pool takes the name of one pool');
  const view = await askLearning(values.url ?? baseOf(input), pool);
  input.out(values.json === true ? `${JSON.stringify(view, undefined, 2)}\n` : explainLearning(view));
}

function baseOf(input: CommandInput): string {
  const { host, port } = settingsFor(input.settingsFlags, input.env).settings.admin;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
