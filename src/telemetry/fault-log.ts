/** Logs faults that may repeat thousands of times a second without flooding the log. */
import type { Clock } from '../core/clock';
import type { TidegateError } from '../core/errors';
import type { Logger } from '../core/ports';
import { RepeatLimiter, type RepeatLimits } from './repeat-limiter';

/** A log for repeating faults. */
export interface FaultLog {
  /** Logs an error at `warn` (what passes by itself) or `error`, at most so often per code and message. */
  report(error: TidegateError, message: string, fields?: object): void;
  /** Tells what was held back of faults that have stopped; call it now and then, and at shutdown. */
  flush(): void;
}

/** Five lines a fault in ten seconds, for a hundred different faults. */
export const DEFAULT_FAULT_LIMITS: RepeatLimits = { burst: 5, intervalMs: 10_000, maxKeys: 100 };

/** Creates a fault log over a logger; time is the clock's monotonic one. */
export function createFaultLog(
  logger: Logger,
  clock: Pick<Clock, 'monotonicMs'>,
  limits: RepeatLimits = DEFAULT_FAULT_LIMITS,
): FaultLog {
  const limiter = new RepeatLimiter(limits);
  return {
    report(error, message, fields = {}) {
      const verdict = limiter.judge(`${error.code} ${message}`, clock.monotonicMs());
      if (!verdict.admit) return;
      const held = verdict.suppressed > 0 ? { suppressed: verdict.suppressed } : {};
      logger[error.transient ? 'warn' : 'error']({ ...fields, ...held, error }, message);
    },
    flush() {
      for (const { key, suppressed } of limiter.drain(clock.monotonicMs())) {
        logger.warn({ fault: key, suppressed }, 'more of the same fault was not logged');
      }
    },
  };
}
