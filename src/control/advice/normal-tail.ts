/** The probability that a standard normal deviate is beyond a value. */

/** Of a Chebyshev fit to ln erfc: W. H. Press et al., Numerical Recipes (2nd ed., 1992), 6.2. */
const FIT = [
  -1.265_512_23, 1.000_023_68, 0.374_091_96, 0.096_784_18, -0.186_288_06, 0.278_868_07, -1.135_203_98,
  1.488_515_87, -0.822_152_23, 0.170_872_77,
] as const;

/** P(Z > deviate), to a relative error of 1.2e-7; 1 for NaN, which is evidence of nothing. */
export function normalTail(deviate: number): number {
  if (Number.isNaN(deviate)) return 1;
  const z = Math.abs(deviate) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  const power = FIT.reduceRight((sum, factor) => sum * t + factor, 0);
  const tail = (t * Math.exp(-z * z + power)) / 2;
  return deviate >= 0 ? tail : 1 - tail;
}
