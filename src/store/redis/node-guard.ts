/** The hook through which a circuit breaker watches each Redis node, so that one dead node does not close the others. */
import type { TidegateError } from '../../core/errors';

/** Asked before a node is used, and told how every use went. Never throws. */
export interface NodeGuard {
  /** Whether `node` (`host:port`) may be asked now; false fails the call at once with TG_STORE_BREAKER_OPEN. */
  admit(node: string): boolean;
  succeeded(node: string, latencyMs: number): void;
  failed(node: string, error: TidegateError): void;
}
