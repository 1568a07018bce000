/** Model files: read with what can be told of them, and the version that their content gives them. */
import { readFileSync, statSync } from 'node:fs';
import { TidegateError } from '../../core/errors';
import { MAX_FACTOR } from '../../learn/allocation/advisor';
import { ALLOCATION_NAMES, ALLOCATION_SHAPE } from '../../learn/allocation/features';
import { readModel, requireFeatures, type LearnedModel } from '../../learn/model/model';
import { digestOf, isRecord } from './sealed-file';

/** A model that was read, with its text as it is kept. */
export interface ModelFile {
  /** The beginning of the SHA-256 of its content: the same content has the same version, however it is laid out. */
  readonly version: string;
  readonly text: string;
  readonly model: LearnedModel;
}

/** Larger files are no models: one of the largest network allowed has a tenth of it. */
export const MODEL_BYTES_MAX = 64 * 1_048_576;
const VERSION_DIGITS = 12;
/** The most that `pools.learning.max_factor` takes. */
const FACTOR_MOST = 10;

/** Whether something can be the version of a model, and with it a part of a file's name. */
export function isVersion(version: string): boolean {
  return /^[0-9a-f]{12}$/.test(version);
}

/** Reads a model's text. @throws TidegateError TG_LEARN_BAD_MODEL or TG_LEARN_OTHER_MODEL. */
export function modelFromText(text: string): ModelFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw new TidegateError('TG_LEARN_BAD_MODEL', 'the model is not whole, or is no JSON', { cause: thrown });
  }
  return modelFromJson(json);
}

/** Reads a model that was parsed. @throws TidegateError TG_LEARN_BAD_MODEL or TG_LEARN_OTHER_MODEL. */
export function modelFromJson(json: unknown): ModelFile {
  const model = readModel(json);
  const text = JSON.stringify(inOrder(json), undefined, 1);
  return { version: digestOf(text).slice(0, VERSION_DIGITS), text: `${text}\n`, model };
}

/** Reads a model's file. @throws TidegateError TG_LEARN_BAD_MODEL or TG_LEARN_OTHER_MODEL, with the file's name. */
export function readModelFile(path: string): ModelFile {
  try {
    if (statSync(path).size > MODEL_BYTES_MAX) throw new Error(`it has more than ${MODEL_BYTES_MAX} bytes`);
    return modelFromText(readFileSync(path, 'utf8'));
  } catch (thrown) {
    const { code, message, remedy } = TidegateError.from(thrown, 'TG_LEARN_BAD_MODEL');
    throw new TidegateError(code, message, { at: { file: path }, remedy, cause: thrown });
  }
}

/** Holds a model against what allocation needs. @throws TidegateError TG_LEARN_OTHER_MODEL. */
export function allocationModel(file: ModelFile): ModelFile {
  requireFeatures(file.model, ALLOCATION_SHAPE, ALLOCATION_NAMES);
  return file;
}

/** The bound of its advice that a model was trained with; the usual one where it does not say. */
export function maxFactorOf({ training }: Pick<LearnedModel, 'training'>): number {
  const factor = training.settings['maxFactor'];
  return typeof factor === 'number' && factor >= 1 && factor <= FACTOR_MOST ? factor : MAX_FACTOR;
}

/** The same with the keys of every object in order. */
function inOrder(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(inOrder);
  if (!isRecord(json)) return json;
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, inOrder(value)]));
}
