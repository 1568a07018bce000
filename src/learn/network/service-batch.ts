/** What networks are given: samples of any number of services each, one sample's services after another's. */

/** Samples. Figures beyond the last row are of no meaning: arrays may be longer than what is in them. */
export interface ServiceBatch {
  readonly samples: number;
  /** Row of each sample's first service, and in the end the number of rows: `samples` + 1. */
  readonly starts: Int32Array;
  /** Rows x service features. */
  readonly perService: Float64Array;
  /** Samples x global features. */
  readonly global: Float64Array;
}

/** The number of services of all samples. */
export function rowsOf(batch: ServiceBatch): number {
  return batch.starts[batch.samples]!;
}

/** An array of at least so many figures: the one that is there, or a longer one, by powers of two, so that few are made. */
export function roomFor(there: Float64Array, figures: number): Float64Array {
  return there.length >= figures ? there : new Float64Array(2 ** Math.ceil(Math.log2(figures)));
}
