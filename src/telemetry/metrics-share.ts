/** Figures on their way from one process to the one that shows them: plain data. */
import type { DeniedShare } from './denied-keys';
import type { HistogramShare } from './flat-histogram';
import type { RuleShare } from './rule-series';

/** What one process counted of decisions, to be added to another's. */
export interface MetricsShare {
  readonly calls: number;
  readonly globalShadows: number;
  readonly callErrors: readonly [redis: number, service: number];
  readonly rules: readonly RuleShare[];
  readonly denied: readonly DeniedShare[];
  readonly unknownDomains: readonly (readonly [string, number])[];
  readonly failureModes: readonly (readonly [string, number])[];
  readonly storeFailures: readonly (readonly [string, number])[];
  readonly histograms: readonly (HistogramShare | undefined)[];
}
