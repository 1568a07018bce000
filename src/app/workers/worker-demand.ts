/** What a worker sees of demand: counted here, told to the primary once a second, which keeps it and forecasts. */
import type { Settings } from '../../config/settings-shape';
import type { Logger } from '../../core/ports';
import type { ClassCounts } from '../../observe/class-counts';
import { createClassCounts, Observer, sourceName } from '../forecasting/observer';
import { systemClock } from '../system-clock';
import type { FromWorker } from './messages';

/** Counts, and who tells them. */
export interface WorkerDemand {
  readonly counts: ClassCounts;
  readonly observer: Observer;
}

/** The load of the host is the primary's to tell. */
export function workerDemand(
  settings: Settings,
  post: (message: FromWorker) => boolean,
  logger: Logger,
): WorkerDemand {
  const counts = createClassCounts(settings, sourceName());
  const observer = new Observer({
    counts,
    clock: systemClock,
    logger,
    observe: (batch) => void post({ kind: 'observed', batch }),
  });
  return { counts, observer };
}
