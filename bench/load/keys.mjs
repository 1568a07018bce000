/** Which bucket each call asks for. Seeded, so that every server and every round sees the same sequence of keys. */
import { encodeRequest } from './rls-message.mjs';

/** The domain of the measured limits. */
export const DOMAIN = 'bench';
/** The one descriptor key of the measured limits. */
export const ENTRY_KEY = 'user';

const SEQUENCE_LENGTH = 1 << 18;
const SEED = 20_240_229;

/**
 * @typedef {{ requests: Buffer[], sequence: Uint32Array }} KeyPlan the encoded requests, and the order to send them in
 */

/**
 * Reads a pattern's name: `hot`, `uniform:N`, or `zipf:S:N` (key k of N is asked in proportion to 1 / k^S).
 * @param {string} pattern
 * @returns {KeyPlan}
 */
export function planKeys(pattern) {
  const [kind, ...figures] = pattern.split(':');
  const numbers = figures.map(Number);
  if (kind === 'hot' && numbers.length === 0) return plan(1, () => 0);
  if (kind === 'uniform' && isCount(numbers[0]) && numbers.length === 1) {
    const random = seededRandom(SEED);
    return plan(numbers[0], () => Math.floor(random() * numbers[0]));
  }
  if (kind === 'zipf' && numbers[0] > 0 && isCount(numbers[1]) && numbers.length === 2) {
    return plan(numbers[1], zipfSampler(numbers[0], numbers[1], seededRandom(SEED)));
  }
  throw new Error(`unknown key pattern '${pattern}': use hot, uniform:N or zipf:S:N`);
}

/** The request for key number `index`; values have one width, so that every request has the same size. */
export function requestFor(index) {
  return encodeRequest(DOMAIN, [[[ENTRY_KEY, `u${String(index).padStart(7, '0')}`]]]);
}

function isCount(value) {
  return Number.isInteger(value) && value >= 1 && value <= 1_000_000;
}

function plan(count, sample) {
  const sequence = new Uint32Array(count === 1 ? 1 : SEQUENCE_LENGTH).map(sample);
  const requests = Array.from({ length: count }, (_, index) => requestFor(index));
  return { requests, sequence };
}

function zipfSampler(exponent, count, random) {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    sum += (index + 1) ** -exponent;
    cumulative[index] = sum;
  }
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** A small generator of uniform numbers in [0, 1): an additive Weyl sequence with a multiplicative mix. */
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
