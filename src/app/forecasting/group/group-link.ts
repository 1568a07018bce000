/** A process's link to its group, from the settings. */
import type { Settings } from '../../../config/settings-shape';
import { TidegateError } from '../../../core/errors';
import type { GroupLink } from '../../../core/group';
import type { Logger } from '../../../core/ports';
import { RedisGroup } from '../../../store/redis/redis-group';
import { redisOptions } from '../../redis-options';

/**
 * A link with connections of its own; undefined for a process that is alone, as all are whose store is in memory. What
 * cannot be is told in the log, and the process is alone then.
 */
export function createGroupLink(settings: Settings, source: string, logger: Logger): GroupLink | undefined {
  const { enabled, name, leaderLifeMs } = settings.observe.group;
  if (!enabled || settings.store.kind === 'memory') return undefined;
  try {
    return new RedisGroup({ ...redisOptions(settings, logger), group: name, source, leaderLifeMs });
  } catch (thrown) {
    logger.error({ error: TidegateError.from(thrown) }, 'this process is alone, without its group');
    return undefined;
  }
}
