/** History, from the settings. */
import type { Settings } from '../../config/settings-shape';
import type { Logger } from '../../core/ports';
import { History } from '../../history/history';

/** Opens history; where its file cannot be used, that is logged and history goes on in memory. Never throws. */
export function openHistory(settings: Settings, nowMs: number, logger: Logger): History {
  const { path, retention, flushIntervalMs, lateWindowMs, maxClasses, maxMemoryBytes, maxFileBytes } =
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
