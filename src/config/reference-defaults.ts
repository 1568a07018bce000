/**
 * The defaults that `compat: reference` changes, to those of envoyproxy/ratelimit. Each may still be overridden.
 * The log keeps Tidegate's own, since its lines differ from the reference's anyway.
 */
import type { RawValue } from './setting';

/** Defaults under `compat: reference` by the settings' paths. */
export const REFERENCE_DEFAULTS: Readonly<Record<string, RawValue>> = {
  algorithm: 'fixed_window',
  consistency: 'exact',
  charge_denied: 'all',
  on_error: 'error',
  'data.host': '0.0.0.0',
  'admin.host': '0.0.0.0',
  'limits.extensions': [],
  'limits.recursive': true,
  'limits.ignore_dot_files': false,
  'store.expiry_jitter': '300s',
  // The reference waits as long as its caller; half of the caller's grpc-timeout still bounds it.
  'store.deadline': '1s',
  'headers.retry_after': false,
  'tracing.service_name': 'RateLimit',
};
