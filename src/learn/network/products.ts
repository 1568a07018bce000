/**
 * Products of small matrices, row by row in flat arrays: what a network's steps are made of. Sums go four at a time, which
 * keeps them from waiting for each other and reads each figure once instead of four times.
 */

/** The sizes of a layer, and where in the parameters its weights begin: `outputs` rows of `inputs`. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly at: number;
}

/** Adds to each row of `to` (rows x outputs) the layer's weights times the row of `from` (rows x inputs). */
export function addProducts(
  { inputs, outputs, at }: Layer,
  weights: Float64Array,
  from: Float64Array,
  rows: number,
  to: Float64Array,
): void {
  const fours = outputs - (outputs % 4);
  for (let row = 0; row < rows; row += 1) {
    const source = row * inputs;
    const target = row * outputs;
    for (let output = 0; output < fours; output += 4) {
      let weight = at + output * inputs;
      let first = 0;
      let second = 0;
      let third = 0;
      let fourth = 0;
      for (let input = 0; input < inputs; input += 1, weight += 1) {
        const value = from[source + input]!;
        first += weights[weight]! * value;
        second += weights[weight + inputs]! * value;
        third += weights[weight + 2 * inputs]! * value;
        fourth += weights[weight + 3 * inputs]! * value;
      }
      const place = target + output;
      to[place] = to[place]! + first;
      to[place + 1] = to[place + 1]! + second;
      to[place + 2] = to[place + 2]! + third;
      to[place + 3] = to[place + 3]! + fourth;
    }
    for (let output = fours; output < outputs; output += 1) {
      let weight = at + output * inputs;
      let sum = 0;
      for (let input = 0; input < inputs; input += 1, weight += 1)
        sum += weights[weight]! * from[source + input]!;
      to[target + output] = to[target + output]! + sum;
    }
  }
}

/** Adds to each row of `inputSlopes` what the slopes of the layer's outputs mean for its inputs. */
export function addInputSlopes(
  { inputs, outputs, at }: Layer,
  weights: Float64Array,
  outputSlopes: Float64Array,
  rows: number,
  inputSlopes: Float64Array,
): void {
  const fours = outputs - (outputs % 4);
  for (let row = 0; row < rows; row += 1) {
    const source = row * outputs;
    const target = row * inputs;
    for (let output = 0; output < fours; output += 4) {
      let weight = at + output * inputs;
      const first = outputSlopes[source + output]!;
      const second = outputSlopes[source + output + 1]!;
      const third = outputSlopes[source + output + 2]!;
      const fourth = outputSlopes[source + output + 3]!;
      for (let place = target; place < target + inputs; place += 1, weight += 1) {
        inputSlopes[place] =
          inputSlopes[place]! +
          (first * weights[weight]! + second * weights[weight + inputs]!) +
          (third * weights[weight + 2 * inputs]! + fourth * weights[weight + 3 * inputs]!);
      }
    }
    for (let output = fours; output < outputs; output += 1) {
      let weight = at + output * inputs;
      const slope = outputSlopes[source + output]!;
      for (let place = target; place < target + inputs; place += 1, weight += 1) {
        inputSlopes[place] = inputSlopes[place]! + slope * weights[weight]!;
      }
    }
  }
}

/** Adds to the gradient what the slopes of the layer's outputs mean for its weights. */
export function addWeightSlopes(
  { inputs, outputs, at }: Layer,
  outputSlopes: Float64Array,
  from: Float64Array,
  rows: number,
  gradient: Float64Array,
): void {
  const fours = rows - (rows % 4);
  for (let row = 0; row < fours; row += 4) {
    const source = row * inputs;
    const slopes = row * outputs;
    let weight = at;
    for (let output = 0; output < outputs; output += 1) {
      const first = outputSlopes[slopes + output]!;
      const second = outputSlopes[slopes + outputs + output]!;
      const third = outputSlopes[slopes + 2 * outputs + output]!;
      const fourth = outputSlopes[slopes + 3 * outputs + output]!;
      for (let place = source; place < source + inputs; place += 1, weight += 1) {
        gradient[weight] =
          gradient[weight]! +
          (first * from[place]! + second * from[place + inputs]!) +
          (third * from[place + 2 * inputs]! + fourth * from[place + 3 * inputs]!);
      }
    }
  }
  for (let row = fours; row < rows; row += 1) {
    let weight = at;
    for (let output = 0; output < outputs; output += 1) {
      const slope = outputSlopes[row * outputs + output]!;
      for (let input = 0; input < inputs; input += 1, weight += 1) {
        gradient[weight] = gradient[weight]! + slope * from[row * inputs + input]!;
      }
    }
  }
}

/** Sets each row of `to` to the biases that begin at `at`. */
export function setBiases(
  weights: Float64Array,
  at: number,
  outputs: number,
  rows: number,
  to: Float64Array,
): void {
  for (let row = 0; row < rows; row += 1) {
    for (let output = 0; output < outputs; output += 1) to[row * outputs + output] = weights[at + output]!;
  }
}

/** Adds the slopes of all rows to the gradient of the biases that begin at `at`. */
export function addBiasSlopes(
  slopes: Float64Array,
  outputs: number,
  rows: number,
  gradient: Float64Array,
  at: number,
): void {
  for (let row = 0; row < rows; row += 1) {
    for (let output = 0; output < outputs; output += 1) {
      gradient[at + output] = gradient[at + output]! + slopes[row * outputs + output]!;
    }
  }
}

/** Squashes the first `count` figures by tanh, where they are. */
export function squash(figures: Float64Array, count: number): void {
  for (let at = 0; at < count; at += 1) figures[at] = Math.tanh(figures[at]!);
}

/** Multiplies slopes by that of tanh, given what it came to. */
export function unsquash(slopes: Float64Array, squashed: Float64Array, count: number): void {
  for (let at = 0; at < count; at += 1) {
    const value = squashed[at]!;
    slopes[at] = slopes[at]! * (1 - value * value);
  }
}
