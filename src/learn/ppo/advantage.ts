/** How much better things went than expected. */

/**
 * Generalised advantage estimation (J. Schulman et al., "High-dimensional continuous control using generalized advantage
 * estimation", 2016): the discounted sum of one-step surprises.
 * @param rewards of each step.
 * @param values of what was seen before each step, and after the last: one more than rewards.
 * @param terminated whether nothing comes after the last step; else its value counts, also where an episode was cut off.
 * @param discount of the next step's worth, 0 to 1.
 * @param traceDecay lambda: 0 trusts values, 1 trusts what came.
 * @param into the advantages, from `at` on.
 */
export function advantages(
  rewards: Float64Array,
  values: Float64Array,
  terminated: boolean,
  { discount, traceDecay }: { readonly discount: number; readonly traceDecay: number },
  into: Float64Array,
  at = 0,
): void {
  let later = 0;
  for (let step = rewards.length - 1; step >= 0; step -= 1) {
    const over = terminated && step === rewards.length - 1;
    const next = over ? 0 : values[step + 1]!;
    const surprise = rewards[step]! + discount * next - values[step]!;
    later = surprise + discount * traceDecay * later;
    into[at + step] = later;
  }
}

/**
 * Brings advantages and credits to parts that add up to 1, where they are: credits to deviation `part`, advantages to what is left, once they
 * are {@link standardise}d. Without credits advantages stay whole.
 */
export function share(advantages: Float64Array, credits: Float64Array, part: number): void {
  let squares = 0;
  for (let at = 0; at < credits.length; at += 1) squares += credits[at]! ** 2;
  const told = squares > 0;
  const unit = told ? part / Math.sqrt(squares / credits.length) : 0;
  for (let at = 0; at < credits.length; at += 1) credits[at] = unit * credits[at]!;
  if (!told) return;
  for (let at = 0; at < advantages.length; at += 1) advantages[at] = (1 - part) * advantages[at]!;
}

/** Moves and scales figures to mean 0 and deviation 1, where they are; equal ones become 0. */
export function standardise(figures: Float64Array): void {
  const count = figures.length;
  if (count === 0) return;
  let sum = 0;
  for (let at = 0; at < count; at += 1) sum += figures[at]!;
  const mean = sum / count;
  let squares = 0;
  for (let at = 0; at < count; at += 1) squares += (figures[at]! - mean) ** 2;
  const deviation = Math.sqrt(squares / count);
  for (let at = 0; at < count; at += 1) figures[at] = (figures[at]! - mean) / (deviation + 1e-8);
}
