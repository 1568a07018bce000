/** Reports of the data path to the metrics, and of what went wrong also to the log, at most so often. */
import type { TidegateError } from '../core/errors';
import type { DecisionTelemetry } from '../core/ports';
import type { FaultLog } from '../telemetry/fault-log';

/** Wraps the metrics. */
export function loggingTelemetry(metrics: DecisionTelemetry, faults: FaultLog): DecisionTelemetry {
  return {
    countersFor: (key: string) => metrics.countersFor(key),
    domainNotFound: (domain: string) => metrics.domainNotFound(domain),
    globalShadow: () => metrics.globalShadow(),
    callFailed: (kind: 'service' | 'redis', error: TidegateError) => metrics.callFailed(kind, error),
    failureModeUsed: (mode: string, error: TidegateError) => {
      metrics.failureModeUsed(mode, error);
      faults.report(error, 'a bucket could not be asked', { mode });
    },
    denied: (metricKey: string, bucketKey: string, hits: number) =>
      metrics.denied(metricKey, bucketKey, hits),
  };
}
