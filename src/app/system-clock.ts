/** The host's clocks. */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../core/clock';

/** Wall time from the host (it may step), and a monotonic one for durations. */
export const systemClock: Clock = {
  nowUs: () => Date.now() * 1_000,
  monotonicMs: () => performance.now(),
};
