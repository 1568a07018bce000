/**
 * What the learned allocator is told and what it says, by name and in order. Rates are told as parts of a member's configured rate, so that the
 * same network serves pools of any size; every figure is kept within {@link FEATURE_MAX} of 0.
 */
import type { EnvironmentShape } from '../environment';
import type { FeatureNames } from '../model/model';

/** No feature is further from 0. */
export const FEATURE_MAX = 10;

/** Of each member. "Interval" is the one that has just ended; "recent" its last ticks. */
export const SERVICE_FEATURES = [
  // Asked for, over the configured rate: interval, recent; and its standard deviation from tick to tick.
  'demand',
  'demand_recent',
  'demand_sd',
  // Admitted and denied, over the configured rate; calls that began to wait, the same.
  'admitted',
  'denied',
  'queued',
  // Calls that wait, in seconds of the configured rate.
  'backlog_s',
  // In force: the rate over the configured one, the capacity in seconds of the configured rate.
  'rate',
  'capacity_s',
  // Admitted over the rate; whole tokens over the capacity.
  'utilisation',
  'tokens',
  // Foreseen for what comes: mean and distance to the upper end of the 80 % interval, over the configured rate.
  'forecast',
  'forecast_spread',
  // Demand of the interval less what was foreseen for it, over the configured rate.
  'forecast_error',
  // Denied over asked, and intervals with denials: fading over some ten intervals.
  // The same as logarithms of what was asked over what was foreseen: of the interval, and its mean and its size, fading over some intervals.
  'surprise',
  'surprise_mean',
  'surprise_size',
  // Logarithms of what is foreseen over what was asked, and of what was asked over what was asked before; the spread over the mean.
  'rise_foreseen',
  'rise',
  'spread_part',
  'denied_history',
  'violation_history',
  // The configured rate over the total; the guarantee over the configured rate; its weight among its priority.
  'part_of_total',
  'guarantee',
  'weight',
  'critical',
  'high',
  'medium',
  'low',
] as const;

/** Of all members together. */
export const GLOBAL_FEATURES = [
  // Over the total: asked for, foreseen, and the spread of what is foreseen if members err independently.
  'load',
  'load_foreseen',
  'load_spread',
  // Foreseen over the total, of the most important priority alone, with the next, with the one after.
  'load_critical',
  'load_high',
  'load_medium',
  // Denied, and admitted, over the total.
  'denied',
  'admitted',
  // The total over the one before, less 1.
  'total_change',
  'day_sin',
  'day_cos',
  'lending',
] as const;

/** What is said of each member. */
export const ACTIONS = ['demand_factor', 'keep_factor'] as const;

/** The sizes of both. */
export const ALLOCATION_SHAPE: EnvironmentShape = {
  serviceFeatures: SERVICE_FEATURES.length,
  globalFeatures: GLOBAL_FEATURES.length,
  serviceActions: ACTIONS.length,
};

/** For model files. */
export const ALLOCATION_NAMES: FeatureNames = {
  perService: SERVICE_FEATURES,
  global: GLOBAL_FEATURES,
  actions: ACTIONS,
};
