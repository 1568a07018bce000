/** What patterns cannot tell of the settings of pools. */
import type { Nonsense } from './forecast-checks';
import type { Settings } from './settings-shape';

/** Finds what means nothing. */
export function poolNonsenseOf({ pools, forecast }: Settings): readonly Nonsense[] {
  const found: Nonsense[] = [];
  const names = new Set<string>();
  for (const [index, { name }] of pools.list.entries()) {
    if (names.has(name))
      found.push({
        path: 'pools.list',
        message: `row ${index + 1}: there is a pool '${name}' already`,
        remedy: 'give each pool a name of its own',
      });
    names.add(name);
  }
  for (const [index, { pool, match }] of pools.members.entries()) {
    const path = 'pools.members';
    if (!names.has(pool))
      found.push({
        path,
        message: `row ${index + 1}: there is no pool '${pool}'`,
        remedy: 'name one of pools.list',
      });
    if (match === '')
      found.push({ path, message: `row ${index + 1}: it matches nothing`, remedy: 'set its `match`' });
  }
  if (pools.list.length > 0 && !forecast.enabled)
    found.push({
      path: 'pools.list',
      message: 'pools follow demand that nobody counts, since forecast.enabled is off',
      remedy: 'set forecast.enabled, or have no pools',
    });
  if (pools.intervalMs < pools.tickMs)
    found.push({
      path: 'pools.interval',
      message: 'rates would be decided more often than there are ticks',
      remedy: 'make it at least pools.tick',
    });
  return found;
}
