/** Scales on which models work: what grows in proportion is additive on the log scale, what is counted is even on the root's. */

/** The names of {@link Scale}s. */
export const SCALE_NAMES = ['log', 'sqrt', 'identity'] as const;
/** One of {@link SCALE_NAMES}. */
export type ScaleName = (typeof SCALE_NAMES)[number];

/** The largest figure that a forecast holds; sums of many of them are still exact enough and finite. */
export const LARGEST_FIGURE = 1e15;

/** A monotonic transform of figures from 0 to {@link LARGEST_FIGURE}, and its way back. */
export interface Scale {
  readonly name: ScaleName;
  /** Figures below 0 count as 0, those above the largest as the largest; NaN stays NaN. */
  forward(figure: number): number;
  /** The figure, never negative and at most {@link LARGEST_FIGURE}; NaN stays NaN. */
  inverse(scaled: number): number;
}

function bounded(figure: number): number {
  if (figure < 0) return 0;
  return figure > LARGEST_FIGURE ? LARGEST_FIGURE : figure;
}

const SCALES: Readonly<Record<ScaleName, Scale>> = {
  log: {
    name: 'log',
    forward: (figure) => Math.log1p(bounded(figure)),
    inverse: (scaled) => bounded(Math.expm1(scaled)),
  },
  sqrt: {
    name: 'sqrt',
    forward: (figure) => Math.sqrt(bounded(figure)),
    inverse: (scaled) => (scaled <= 0 ? 0 : bounded(scaled * scaled)),
  },
  identity: { name: 'identity', forward: bounded, inverse: bounded },
};

/** The scale of a name. */
export function scaleNamed(name: ScaleName): Scale {
  return SCALES[name];
}

/** Whether a text names a scale. */
export function isScaleName(name: unknown): name is ScaleName {
  return SCALE_NAMES.some((known) => known === name);
}

/** All values on a scale, in a new array. */
export function scaledValues(values: Float64Array, scale: Scale): Float64Array {
  return values.map((value) => scale.forward(value));
}
