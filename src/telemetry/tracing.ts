/**
 * Traces of decisions, off by default and then costing nothing: what is wrapped is handed back as it was, and the
 * OpenTelemetry packages are not loaded.
 */
import type { Logger } from '../core/ports';
import { startOpenTelemetry } from './open-telemetry';
import type { Tracer, TracingOptions } from './tracer';

export type { CallDescription, DescribeCall, Tracer, TracingOptions } from './tracer';

const OFF: Tracer = {
  enabled: false,
  traceHandler: (_method, handler) => handler,
  traceStore: (_kind, store) => store,
  shutdown: async () => undefined,
};

/**
 * Creates the tracer.
 * @param logger told when spans cannot be sent.
 */
export async function createTracer(options: TracingOptions, logger: Logger): Promise<Tracer> {
  return options.enabled ? startOpenTelemetry(options, logger) : OFF;
}
