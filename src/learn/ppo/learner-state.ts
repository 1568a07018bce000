/** A learner as JSON and back: all that it takes to go on as if it had never stopped. */
import { TidegateError } from '../../core/errors';
import type { StepsState } from '../network/gradient-steps';
import { PolicyNetwork } from '../network/policy-network';
import { ValueNetwork } from '../network/value-network';
import type { EnvironmentShape } from '../environment';
import { figuresToText, textToFigures } from '../model/figures-text';
import type { AnchorState } from './anchor';
import type { WeightsState } from './learning-weights';
import type { MomentsState } from './moments';
import type { RangesState } from './observed-ranges';
import { ppoSettings, type PpoSettings } from './settings';

const FORMAT = 'tidegate-training';
const VERSION = 1;

/** A learner taken apart. */
export interface LearnerParts {
  readonly shape: EnvironmentShape;
  readonly settings: PpoSettings;
  readonly seed: number;
  readonly done: number;
  readonly policy: WeightsState;
  readonly critic: WeightsState;
  readonly perService: MomentsState;
  readonly global: MomentsState;
  readonly returns: MomentsState;
  readonly serviceRanges: RangesState | undefined;
  readonly globalRanges: RangesState | undefined;
  /** What the policy is held near. */
  readonly anchor: AnchorState | undefined;
}

/** Plain JSON. Figures are base64 of doubles. */
export type LearnerState = Readonly<Record<string, unknown>>;

/** Parts as JSON. */
export function writeLearnerState(
  parts: LearnerParts & Record<'serviceRanges' | 'globalRanges', RangesState>,
): LearnerState {
  const { shape, settings, seed, done } = parts;
  return {
    format: FORMAT,
    version: VERSION,
    shape,
    settings,
    seed,
    done,
    policy: weightsOut(parts.policy),
    critic: weightsOut(parts.critic),
    perService: momentsOut(parts.perService),
    global: momentsOut(parts.global),
    returns: momentsOut(parts.returns),
    serviceRanges: rangesOut(parts.serviceRanges),
    globalRanges: rangesOut(parts.globalRanges),
    ...(parts.anchor === undefined ? {} : { anchor: anchorOut(parts.anchor) }),
  };
}

/** JSON as parts. @throws TidegateError TG_LEARN_BAD_CHECKPOINT. */
export function readLearnerState(given: unknown): LearnerParts {
  const state = new Fields(given, 'it');
  if (state.at('format') !== FORMAT || state.at('version') !== VERSION) {
    throw bad(`it is not of the format ${FORMAT} ${VERSION}`);
  }
  const shapeFields = state.inside('shape');
  const shape: EnvironmentShape = {
    serviceFeatures: shapeFields.count('serviceFeatures', 1),
    globalFeatures: shapeFields.count('globalFeatures', 0),
    serviceActions: shapeFields.count('serviceActions', 1),
  };
  const settings = settingsIn(state.at('settings'));
  const parameters = new PolicyNetwork(shape, settings.units).parameters;
  const policyLength = parameters + shape.serviceActions;
  const criticLength = new ValueNetwork(shape, settings.valueUnits).parameters;
  return {
    shape,
    settings,
    seed: state.count('seed', 0),
    done: state.count('done', 0),
    policy: weightsIn(state.inside('policy'), policyLength),
    critic: weightsIn(state.inside('critic'), criticLength),
    perService: momentsIn(state.inside('perService'), shape.serviceFeatures),
    global: momentsIn(state.inside('global'), shape.globalFeatures),
    returns: momentsIn(state.inside('returns'), 1),
    serviceRanges: rangesIn(state.inside('serviceRanges'), shape.serviceFeatures),
    globalRanges: rangesIn(state.inside('globalRanges'), shape.globalFeatures),
    anchor: state.at('anchor') === undefined ? undefined : anchorIn(state.inside('anchor'), parameters),
  };
}

function bad(what: string): TidegateError {
  return new TidegateError('TG_LEARN_BAD_CHECKPOINT', `the training cannot be gone on with: ${what}`);
}

function settingsIn(given: unknown): PpoSettings {
  if (typeof given !== 'object' || given === null) throw bad('settings is not an object');
  try {
    return ppoSettings(given);
  } catch (error) {
    throw bad(TidegateError.from(error).message);
  }
}

/** What is there, by name. */
class Fields {
  constructor(
    private readonly given: unknown,
    private readonly name: string,
  ) {
    if (typeof given !== 'object' || given === null) throw bad(`${name} is not an object`);
  }

  at(key: string): unknown {
    return (this.given as Readonly<Record<string, unknown>>)[key];
  }

  inside(key: string): Fields {
    return new Fields(this.at(key), key);
  }

  count(key: string, least: number): number {
    const value = this.at(key);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      throw bad(`${key} of ${this.name} is not a count of at least ${least}`);
    }
    return value;
  }

  figures(key: string, length: number): Float64Array {
    const figures = textToFigures(this.at(key), length);
    if (figures === undefined) throw bad(`${key} of ${this.name} is not ${length} finite figures`);
    return figures;
  }
}

function weightsOut({ weights, steps }: WeightsState): LearnerState {
  return {
    weights: figuresToText(weights),
    steps: steps.steps,
    means: figuresToText(steps.means),
    squares: figuresToText(steps.squares),
  };
}

function weightsIn(fields: Fields, length: number): WeightsState {
  const steps: StepsState = {
    steps: fields.count('steps', 0),
    means: fields.figures('means', length),
    squares: fields.figures('squares', length),
  };
  if (steps.squares.some((square) => square < 0)) throw bad('squares are below 0');
  return { weights: fields.figures('weights', length), steps };
}

function anchorOut({ weights, radius }: AnchorState): LearnerState {
  return { weights: figuresToText(weights), radius };
}

function anchorIn(fields: Fields, length: number): AnchorState {
  const radius = fields.at('radius');
  if (typeof radius !== 'number' || !(radius >= 0)) throw bad('radius of anchor is not a number from 0');
  return { weights: fields.figures('weights', length), radius };
}

function momentsOut({ count, means, squares }: MomentsState): LearnerState {
  return { count, means: figuresToText(means), squares: figuresToText(squares) };
}

function momentsIn(fields: Fields, features: number): MomentsState {
  return {
    count: fields.count('count', 0),
    means: fields.figures('means', features),
    squares: fields.figures('squares', features),
  };
}

function rangesOut({ seen, stride, kept, least, most }: RangesState): LearnerState {
  if (seen === 0) return { seen };
  return {
    seen,
    stride,
    rows: least.length === 0 ? 0 : kept.length / least.length,
    kept: figuresToText(kept),
    least: figuresToText(least),
    most: figuresToText(most),
  };
}

/** @returns undefined of nothing seen. */
function rangesIn(fields: Fields, features: number): RangesState | undefined {
  const seen = fields.count('seen', 0);
  if (seen === 0) return undefined;
  return {
    seen,
    stride: fields.count('stride', 1),
    kept: fields.figures('kept', fields.count('rows', 0) * features),
    least: fields.figures('least', features),
    most: fields.figures('most', features),
  };
}
