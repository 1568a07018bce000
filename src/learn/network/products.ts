/**
 * Products of small matrices, row by row in flat arrays: what a network's steps are made of. Sums go several rows and columns at
 * a time, which keeps them from waiting for each other and reads each figure once instead of many times.
 */

/** The sizes of a layer, and where in the parameters its weights begin: `outputs` rows of `inputs`. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly at: number;
}

/** Adds to each row of `to` (rows x outputs) the layer's weights times the row of `from` (rows x inputs). */
export function addProducts(
  layer: Layer,
  weights: Float64Array,
  from: Float64Array,
  rows: number,
  to: Float64Array,
): void {
  const { inputs, outputs, at } = layer;
  const pairs = rows - (rows % 2);
  const fours = outputs - (outputs % 4);
  for (let row = 0; row < pairs; row += 2) {
    const upper = row * inputs;
    const lower = upper + inputs;
    for (let output = 0; output < fours; output += 4) {
      let weight = at + output * inputs;
      let upper0 = 0;
      let upper1 = 0;
      let upper2 = 0;
      let upper3 = 0;
      let lower0 = 0;
      let lower1 = 0;
      let lower2 = 0;
      let lower3 = 0;
      for (let input = 0; input < inputs; input += 1, weight += 1) {
        const above = from[upper + input]!;
        const below = from[lower + input]!;
        const weight0 = weights[weight]!;
        const weight1 = weights[weight + inputs]!;
        const weight2 = weights[weight + 2 * inputs]!;
        const weight3 = weights[weight + 3 * inputs]!;
        upper0 += weight0 * above;
        upper1 += weight1 * above;
        upper2 += weight2 * above;
        upper3 += weight3 * above;
        lower0 += weight0 * below;
        lower1 += weight1 * below;
        lower2 += weight2 * below;
        lower3 += weight3 * below;
      }
      const first = row * outputs + output;
      const second = first + outputs;
      to[first] = to[first]! + upper0;
      to[first + 1] = to[first + 1]! + upper1;
      to[first + 2] = to[first + 2]! + upper2;
      to[first + 3] = to[first + 3]! + upper3;
      to[second] = to[second]! + lower0;
      to[second + 1] = to[second + 1]! + lower1;
      to[second + 2] = to[second + 2]! + lower2;
      to[second + 3] = to[second + 3]! + lower3;
    }
  }
  addSingleProducts(layer, weights, from, 0, pairs, fours, to);
  addSingleProducts(layer, weights, from, pairs, rows, 0, to);
}

/** As {@link addProducts}, of some of the rows, and of outputs from one on: in the same order of sums, so that pairs change nothing. */
function addSingleProducts(
  { inputs, outputs, at }: Layer,
  weights: Float64Array,
  from: Float64Array,
  firstRow: number,
  endRow: number,
  firstOutput: number,
  to: Float64Array,
): void {
  for (let row = firstRow; row < endRow; row += 1) {
    for (let output = firstOutput; output < outputs; output += 1) {
      const place = row * outputs + output;
      let weight = at + output * inputs;
      let sum = 0;
      for (let source = row * inputs; source < (row + 1) * inputs; source += 1, weight += 1) {
        sum += weights[weight]! * from[source]!;
      }
      to[place] = to[place]! + sum;
    }
  }
}

/** Adds to each row of `inputSlopes` what the slopes of the layer's outputs mean for its inputs. */
export function addInputSlopes(
  layer: Layer,
  weights: Float64Array,
  outputSlopes: Float64Array,
  rows: number,
  inputSlopes: Float64Array,
): void {
  const { inputs, outputs, at } = layer;
  const pairs = rows - (rows % 2);
  const twos = outputs - (outputs % 2);
  for (let row = 0; row < pairs; row += 2) {
    const upper = row * inputs;
    for (let output = 0; output < twos; output += 2) {
      let weight = at + output * inputs;
      const source = row * outputs + output;
      const upper0 = outputSlopes[source]!;
      const upper1 = outputSlopes[source + 1]!;
      const lower0 = outputSlopes[source + outputs]!;
      const lower1 = outputSlopes[source + outputs + 1]!;
      for (let place = upper; place < upper + inputs; place += 1, weight += 1) {
        const weight0 = weights[weight]!;
        const weight1 = weights[weight + inputs]!;
        inputSlopes[place] = inputSlopes[place]! + (upper0 * weight0 + upper1 * weight1);
        inputSlopes[place + inputs] = inputSlopes[place + inputs]! + (lower0 * weight0 + lower1 * weight1);
      }
    }
  }
  addSingleInputSlopes(layer, weights, outputSlopes, 0, pairs, twos, inputSlopes);
  addSingleInputSlopes(layer, weights, outputSlopes, pairs, rows, 0, inputSlopes);
}

/** As {@link addInputSlopes}, of some of the rows, and of outputs from one on. */
function addSingleInputSlopes(
  { inputs, outputs, at }: Layer,
  weights: Float64Array,
  outputSlopes: Float64Array,
  firstRow: number,
  endRow: number,
  firstOutput: number,
  inputSlopes: Float64Array,
): void {
  for (let row = firstRow; row < endRow; row += 1) {
    for (let output = firstOutput; output < outputs; output += 1) {
      const slope = outputSlopes[row * outputs + output]!;
      let weight = at + output * inputs;
      for (let place = row * inputs; place < (row + 1) * inputs; place += 1, weight += 1) {
        inputSlopes[place] = inputSlopes[place]! + slope * weights[weight]!;
      }
    }
  }
}

/** Adds to the gradient what the slopes of the layer's outputs mean for its weights. */
export function addWeightSlopes(
  layer: Layer,
  outputSlopes: Float64Array,
  from: Float64Array,
  rows: number,
  gradient: Float64Array,
): void {
  const { inputs, outputs, at } = layer;
  const fours = rows - (rows % 4);
  const twos = outputs - (outputs % 2);
  for (let row = 0; row < fours; row += 4) {
    const source = row * inputs;
    for (let output = 0; output < twos; output += 2) {
      const slope = row * outputs + output;
      const first0 = outputSlopes[slope]!;
      const second0 = outputSlopes[slope + 1]!;
      const first1 = outputSlopes[slope + outputs]!;
      const second1 = outputSlopes[slope + outputs + 1]!;
      const first2 = outputSlopes[slope + 2 * outputs]!;
      const second2 = outputSlopes[slope + 2 * outputs + 1]!;
      const first3 = outputSlopes[slope + 3 * outputs]!;
      const second3 = outputSlopes[slope + 3 * outputs + 1]!;
      let weight = at + output * inputs;
      for (let place = source; place < source + inputs; place += 1, weight += 1) {
        const input0 = from[place]!;
        const input1 = from[place + inputs]!;
        const input2 = from[place + 2 * inputs]!;
        const input3 = from[place + 3 * inputs]!;
        gradient[weight] =
          gradient[weight]! + (first0 * input0 + first1 * input1) + (first2 * input2 + first3 * input3);
        gradient[weight + inputs] =
          gradient[weight + inputs]! +
          (second0 * input0 + second1 * input1) +
          (second2 * input2 + second3 * input3);
      }
    }
  }
  addSingleWeightSlopes(layer, outputSlopes, from, 0, fours, twos, gradient);
  addSingleWeightSlopes(layer, outputSlopes, from, fours, rows, 0, gradient);
}

/** As {@link addWeightSlopes}, of some of the rows, and of outputs from one on. */
function addSingleWeightSlopes(
  { inputs, outputs, at }: Layer,
  outputSlopes: Float64Array,
  from: Float64Array,
  firstRow: number,
  endRow: number,
  firstOutput: number,
  gradient: Float64Array,
): void {
  for (let row = firstRow; row < endRow; row += 1) {
    for (let output = firstOutput; output < outputs; output += 1) {
      const slope = outputSlopes[row * outputs + output]!;
      let weight = at + output * inputs;
      for (let place = row * inputs; place < (row + 1) * inputs; place += 1, weight += 1) {
        gradient[weight] = gradient[weight]! + slope * from[place]!;
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
