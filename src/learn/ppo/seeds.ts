/** Seeds that follow from others, so that chance does not depend on who works when. */

/** A 32-bit seed from several figures: each order and each figure gives another. */
export function seedOf(...parts: readonly number[]): number {
  let mixed = 0x9e3779b9;
  for (const part of parts) {
    mixed = Math.imul(mixed ^ (part >>> 0), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    mixed ^= mixed >>> 16;
  }
  return mixed >>> 0;
}

/** The seed of a rollout: of a training's seed, its update and the rollout's place in it. */
export function rolloutSeed(seed: number, update: number, index: number): number {
  return seedOf(seed, 1, update, index);
}
