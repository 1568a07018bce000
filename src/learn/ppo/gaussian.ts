/** Normal distributions of actions, each with its own deviation whatever is seen. */

const HALF_LOG_TAU = 0.5 * Math.log(2 * Math.PI);

/**
 * The logarithm of the probability density of one service's actions.
 * @param actionsAt where its first action is; `meansAt`, where its mean is.
 */
export function logProbability(
  actions: Float64Array,
  actionsAt: number,
  means: Float64Array,
  meansAt: number,
  deviations: Float64Array,
): number {
  let sum = 0;
  for (let action = 0; action < deviations.length; action += 1) {
    const deviation = deviations[action]!;
    const away = (actions[actionsAt + action]! - means[meansAt + action]!) / deviation;
    sum -= 0.5 * away * away + Math.log(deviation) + HALF_LOG_TAU;
  }
  return sum;
}

/** The differential entropy of one service's actions, nats. */
export function entropy(deviations: Float64Array): number {
  let sum = 0;
  for (let action = 0; action < deviations.length; action += 1) {
    sum += 0.5 + HALF_LOG_TAU + Math.log(deviations[action]!);
  }
  return sum;
}
