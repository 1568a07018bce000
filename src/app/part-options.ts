/** What parts are told, from the settings. */
import { randomInt } from 'node:crypto';
import type { Settings } from '../config/settings-shape';
import type { LimiterOptions } from '../limiter/limiter';
import type { PlanCacheOptions } from '../limiter/plan-cache';
import type { LoggerOptions } from '../telemetry/logger';
import type { TracingOptions } from '../telemetry/tracing';
import type { RequestBounds } from '../wire';
import { packageVersion } from './package-info';

/** The log that says when it serves: whoever starts it waits for that line, also where only warnings are logged. */
export function announcerOptions(settings: Settings): LoggerOptions {
  const { level, format } = settings.log;
  return { format, level: level === 'silent' ? 'silent' : 'info' };
}

/** Bounds of a request, over gRPC and over HTTP. */
export function requestBounds(settings: Settings): RequestBounds {
  const { maxMessageBytes, maxDescriptors, maxEntries } = settings.data;
  return { maxMessageBytes, maxDescriptors, maxEntries };
}

/** Messages beyond this length are rare, and their plans large. */
const MAX_CACHED_MESSAGE_BYTES = 1_024;
/** What plans may take, for each that may be kept; one of a descriptor with one entry takes some 700 bytes. */
const BYTES_A_PLAN = 1_024;

/** For the cache of plans; its seed is another one each time. */
export function planCacheOptions(settings: Settings): PlanCacheOptions {
  return {
    maxPlans: settings.data.planCache,
    maxMessageBytes: MAX_CACHED_MESSAGE_BYTES,
    maxBytes: settings.data.planCache * BYTES_A_PLAN,
    seed: randomInt(2 ** 32),
  };
}

/** For the tracer; the endpoint is the collector's, OTLP's path is appended. */
export function tracingOptions(settings: Settings): TracingOptions {
  const { enabled, serviceName, samplingRate, endpoint } = settings.tracing;
  return {
    enabled,
    serviceName,
    serviceVersion: packageVersion(),
    samplingRatio: samplingRate,
    endpoint: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
  };
}

/** For the limiter. */
export function limiterOptions(settings: Settings): LimiterOptions {
  const { chargeDenied, nearLimitRatio, shadowMode, quotaMode, dynamicMetadata, headers, store, compat } =
    settings;
  return {
    chargeDenied,
    nearLimitRatio,
    shadowMode,
    quotaMode,
    dynamicMetadata,
    headers,
    colocate: store.colocate,
    storeDeadlineMs: store.deadlineMs,
    strictRequests: compat === 'off',
  };
}
