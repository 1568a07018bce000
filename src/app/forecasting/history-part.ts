/** History, from the settings. */
import { isAbsolute, join } from 'node:path';
import type { Settings } from '../../config/settings-shape';
import type { Logger } from '../../core/ports';
import { History } from '../../history/history';

/** Where history is kept: the file that is set, or one where the system wants such files. Empty for nowhere. */
export function historyPath(path: string, env: Readonly<Record<string, string | undefined>>): string {
  if (path === 'none') return '';
  if (path !== 'auto') return path;
  const [own = ''] = (env['STATE_DIRECTORY'] ?? '').split(':');
  if (isAbsolute(own)) return join(own, 'history.db');
  const { XDG_STATE_HOME: state = '', HOME: home = '' } = env;
  if (isAbsolute(state)) return join(state, 'tidegate', 'history.db');
  return isAbsolute(home) ? join(home, '.local', 'state', 'tidegate', 'history.db') : '';
}

/** Opens history; where its file cannot be used, that is logged and history goes on in memory. Never throws. */
export function openHistory(settings: Settings, nowMs: number, logger: Logger): History {
  const path = historyPath(settings.history.path, process.env);
  const { retention, flushIntervalMs, lateWindowMs, maxClasses, maxMemoryBytes, maxFileBytes } =
    settings.history;
  return new History(
    {
      ...(path === '' ? {} : { path }),
      retention: {
        1_000: retention.oneSecondMs,
        10_000: retention.tenSecondsMs,
        60_000: retention.oneMinuteMs,
        600_000: retention.tenMinutesMs,
      },
      flushMs: flushIntervalMs,
      lateMs: lateWindowMs,
      classesMax: maxClasses,
      memoryMaxBytes: maxMemoryBytes,
      fileMaxBytes: maxFileBytes,
      onFileState: (error) => {
        if (error === undefined) logger.info({ path }, 'history is written to its file again');
        else logger.error({ code: error.code, err: error, remedy: error.remedy }, 'history file failed');
      },
    },
    nowMs,
  );
}
