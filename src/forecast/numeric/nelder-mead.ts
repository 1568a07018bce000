/**
 * Minimising without derivatives inside bounds: the simplex of Nelder and Mead ("A simplex method for function
 * minimization", 1965) with the usual coefficients; points outside the bounds are moved onto them.
 */

/** A parameter's range, where its search starts, and how far the first step goes. */
export interface Parameter {
  readonly start: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** Where the search stops: after so many evaluations, or when the simplex's values differ by less than this part. */
export interface SearchLimits {
  readonly evaluations: number;
  readonly tolerance: number;
}

/** The best point found. */
export interface Minimum {
  readonly at: readonly number[];
  readonly value: number;
  readonly evaluations: number;
}

interface Vertex {
  readonly at: readonly number[];
  readonly value: number;
}

/**
 * The least value of `cost` that the search finds. What is not a number counts as infinitely bad, so `cost` may refuse a
 * point by NaN. With no parameters the cost is evaluated once.
 */
export function minimise(
  cost: (at: readonly number[]) => number,
  parameters: readonly Parameter[],
  limits: SearchLimits = { evaluations: 200, tolerance: 1e-6 },
): Minimum {
  let evaluations = 0;
  const vertex = (raw: readonly number[]): Vertex => {
    const at = raw.map((value, index) => clamp(value, parameters[index]));
    const value = cost(at);
    evaluations += 1;
    return { at, value: Number.isNaN(value) ? Infinity : value };
  };
  const starts = parameters.map(({ start }) => start);
  const simplex = [vertex(starts)];
  parameters.forEach((parameter, index) => {
    const { start, step, max } = parameter;
    const moved = start + step > max ? start - step : start + step;
    simplex.push(vertex(starts.map((value, other) => (other === index ? moved : value))));
  });
  while (parameters.length > 0 && evaluations < limits.evaluations) {
    simplex.sort((a, b) => a.value - b.value);
    const best = at(simplex, 0);
    const worst = at(simplex, simplex.length - 1);
    if (Math.abs(worst.value - best.value) <= limits.tolerance * (Math.abs(best.value) + 1e-12)) break;
    improve(simplex, vertex);
  }
  simplex.sort((a, b) => a.value - b.value);
  const best = at(simplex, 0);
  return { at: best.at, value: best.value, evaluations };
}

/** One step on a sorted simplex: reflect, expand, contract or shrink. */
function improve(simplex: Vertex[], vertex: (at: readonly number[]) => Vertex): void {
  const last = simplex.length - 1;
  const best = at(simplex, 0);
  const worst = at(simplex, last);
  const second = at(simplex, last - 1);
  const centre = best.at.map(
    (_, index) => simplex.slice(0, last).reduce((sum, { at: point }) => sum + (point[index] ?? 0), 0) / last,
  );
  const along = (factor: number): Vertex =>
    vertex(centre.map((value, index) => value + factor * (value - (worst.at[index] ?? 0))));
  const reflected = along(1);
  if (reflected.value < best.value) {
    const expanded = along(2);
    simplex[last] = expanded.value < reflected.value ? expanded : reflected;
    return;
  }
  if (reflected.value < second.value) {
    simplex[last] = reflected;
    return;
  }
  const contracted = reflected.value < worst.value ? along(0.5) : along(-0.5);
  if (contracted.value < Math.min(worst.value, reflected.value)) {
    simplex[last] = contracted;
    return;
  }
  for (let index = 1; index <= last; index += 1) {
    const from = at(simplex, index);
    simplex[index] = vertex(from.at.map((value, which) => ((best.at[which] ?? 0) + value) / 2));
  }
}

function clamp(value: number, parameter: Parameter | undefined): number {
  if (parameter === undefined) return value;
  return Math.min(parameter.max, Math.max(parameter.min, value));
}

function at(simplex: readonly Vertex[], index: number): Vertex {
  const found = simplex[index];
  if (found === undefined) throw new RangeError(`a simplex of ${simplex.length} has no vertex ${index}`);
  return found;
}
