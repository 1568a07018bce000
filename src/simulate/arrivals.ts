/** How requests come inside a minute: at random times, or evenly. */
import { seededRandom, type Random } from '../forecast/numeric/random';
import type { ArrivalKind } from './scenario';

/** From this mean on, counts are drawn by rejection; below it, by inversion. */
const REJECTION_FROM = 12;
/** More than this in one tick is not drawn but taken as its mean: the spread is under a ten-thousandth of it. */
const DRAWN_MAX = 1e8;

/** Draws counts of a Poisson distribution, each mean from its own services' rates. */
export class ArrivalSource {
  private readonly random: Random;

  constructor(
    private readonly kind: ArrivalKind,
    seed: number,
  ) {
    this.random = seededRandom(seed);
  }

  /** Requests that come in a tick when `mean` are expected. Even arrivals may be parts of requests. */
  take(mean: number): number {
    if (this.kind === 'even' || mean > DRAWN_MAX) return mean;
    return poisson(mean, this.random);
  }
}

/** A count of a Poisson distribution with the mean given, 0 for a mean that is not above 0. */
export function poisson(mean: number, random: Random): number {
  if (!(mean > 0)) return 0;
  return mean < REJECTION_FROM ? inverted(mean, random) : rejected(mean, random);
}

/** Adds up the probabilities of 0, 1, 2 ... until they pass a uniform figure. */
function inverted(mean: number, random: Random): number {
  const uniform = random.next();
  let probability = Math.exp(-mean);
  let sum = probability;
  let count = 0;
  while (uniform > sum && count < 1_000) {
    count += 1;
    probability *= mean / count;
    sum += probability;
  }
  return count;
}

/** Transformed rejection with a squeeze (W. Hoermann, "The transformed rejection method for generating Poisson random variables", 1993, PTRS). */
function rejected(mean: number, random: Random): number {
  const logMean = Math.log(mean);
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const vr = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = random.next() - 0.5;
    const v = random.next();
    const us = 0.5 - Math.abs(u);
    const count = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= vr) return count;
    if (count < 0 || (us < 0.013 && v > us)) continue;
    const accepted = Math.log(v) + Math.log(inverseAlpha) - Math.log(a / (us * us) + b);
    if (accepted <= count * logMean - mean - logFactorial(count)) return count;
  }
}

/** ln(n!), by Stirling's series; exact to ten digits from 10 on, where alone it is asked for. */
function logFactorial(count: number): number {
  if (count < 2) return 0;
  const n = count + 1;
  const inverse = 1 / n;
  const series = inverse * (1 / 12 - inverse * inverse * (1 / 360 - (inverse * inverse) / 1_260));
  return (n - 0.5) * Math.log(n) - n + 0.918_938_533_204_672_7 + series;
}
