/** Reads saved models: what is not there or of another kind is a bad state, never a wrong forecast. */
import { TidegateError } from '../../core/errors';
import type { ModelState } from './model';

/** The error for a saved model that cannot be read. */
export function badState(what: string): TidegateError {
  return new TidegateError('TG_FORECAST_BAD_STATE', `the saved model cannot be read: ${what}`);
}

/** A finite number of a state. @throws TidegateError TG_FORECAST_BAD_STATE. */
export function numberIn(state: ModelState, key: string): number {
  const value = state[key];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw badState(`${key} is not a number`);
  return value;
}

/** A count of a state: a whole number of at least `min`. @throws TidegateError TG_FORECAST_BAD_STATE. */
export function countIn(state: ModelState, key: string, min = 0): number {
  const value = numberIn(state, key);
  if (!Number.isSafeInteger(value) || value < min) throw badState(`${key} is not a count of at least ${min}`);
  return value;
}

/** A copy of an array of finite figures of a state. @throws TidegateError TG_FORECAST_BAD_STATE. */
export function figuresIn(state: ModelState, key: string, length?: number): Float64Array {
  const value = state[key];
  if (!isFloat64Array(value)) throw badState(`${key} is not an array of figures`);
  if (length !== undefined && value.length !== length) throw badState(`${key} has ${value.length} figures`);
  const copy = Float64Array.from(value);
  if (copy.some((figure) => !Number.isFinite(figure))) throw badState(`${key} holds what is not a figure`);
  return copy;
}

/** A copy of an array of finite figures in single precision. @throws TidegateError TG_FORECAST_BAD_STATE. */
export function singleFiguresIn(state: ModelState, key: string): Float32Array {
  const value = state[key];
  if (!isFloat32Array(value)) throw badState(`${key} is not an array of figures in single precision`);
  if (value.some((figure) => !Number.isFinite(figure))) throw badState(`${key} holds what is not a figure`);
  return Float32Array.from(value);
}

/** A state inside a state. @throws TidegateError TG_FORECAST_BAD_STATE. */
export function stateIn(state: ModelState, key: string): ModelState {
  const value = state[key];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Array.isArray(value)) {
    throw badState(`${key} is not a state`);
  }
  return value as ModelState;
}

/** By its tag: an array of another realm is no instance of this one's class. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return Object.prototype.toString.call(value) === '[object Float32Array]';
}

/** As {@link isFloat32Array}. */
function isFloat64Array(value: unknown): value is Float64Array {
  return Object.prototype.toString.call(value) === '[object Float64Array]';
}
