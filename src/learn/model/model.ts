/** A learned policy as a document: plain JSON that says what it is for, what it was learned from, and whether it is whole. */
import { TidegateError } from '../../core/errors';
import { PolicyNetwork } from '../network/policy-network';
import type { EnvironmentShape } from '../environment';
import type { FeatureRanges } from '../ppo/observed-ranges';
import type { FeatureScales } from '../ppo/scales';
import { checksumOf } from './checksum';
import { figuresToText, textToFigures } from './figures-text';
import { TrainedActor } from './trained-actor';

/** What a document says it is. */
export const MODEL_FORMAT = 'tidegate-model';
/** The version that is written, and the only one that is read. */
export const MODEL_VERSION = 1;

const FEATURES_MAX = 1_024;
const UNITS_MAX = 512;
const NAME_LENGTH_MAX = 200;
/** No weight that was learned comes near it. */
const FIGURE_MAX = 1e12;

/** What each figure of an observation and of an action is called, in their order. */
export interface FeatureNames {
  readonly perService: readonly string[];
  readonly global: readonly string[];
  readonly actions: readonly string[];
}

/** How a model came to be: for people, and to make it again. */
export interface TrainingFacts {
  readonly seed: number;
  readonly settings: Readonly<Record<string, unknown>>;
  /** What was learned from. */
  readonly data: Readonly<Record<string, unknown>>;
  /** What it came to, by name; see what writes them for units. */
  readonly scores: Readonly<Record<string, number>>;
}

/** A model. Figures are base64 of little-endian doubles, so that what is read is what was written, bit for bit. */
export interface ModelDocument {
  readonly format: typeof MODEL_FORMAT;
  readonly version: typeof MODEL_VERSION;
  readonly shape: EnvironmentShape;
  readonly names: FeatureNames;
  readonly units: number;
  readonly observationClip: number;
  readonly parameters: string;
  readonly scales: Readonly<Record<'perService' | 'global', Readonly<Record<keyof FeatureScales, string>>>>;
  readonly ranges: Readonly<Record<'perService' | 'global', Readonly<Record<keyof FeatureRanges, string>>>>;
  readonly training: TrainingFacts;
  /** Of all the rest. */
  readonly checksum: string;
}

/** A model that was read. */
export interface LearnedModel {
  readonly actor: TrainedActor;
  readonly names: FeatureNames;
  readonly training: TrainingFacts;
  readonly checksum: string;
}

/** A document of an actor. @throws TidegateError TG_LEARN_BAD_MODEL: names do not fit, or figures are not finite. */
export function writeModel(actor: TrainedActor, names: FeatureNames, training: TrainingFacts): ModelDocument {
  const { shape, units, parameters, scales } = actor.snapshot;
  const rest = {
    format: MODEL_FORMAT,
    version: MODEL_VERSION,
    shape: {
      serviceFeatures: shape.serviceFeatures,
      globalFeatures: shape.globalFeatures,
      serviceActions: shape.serviceActions,
    },
    names,
    units,
    observationClip: scales.clip,
    parameters: figuresToText(parameters),
    scales: { perService: scalesOut(scales.perService), global: scalesOut(scales.global) },
    ranges: { perService: rangesOut(actor.ranges.perService), global: rangesOut(actor.ranges.global) },
    training,
  } as const;
  const document = { ...rest, checksum: checksumOf(rest) };
  readModel(document);
  return document;
}

/**
 * A document made of what somebody gave: JSON that was parsed.
 * @throws TidegateError TG_LEARN_OTHER_MODEL: of another format or version; TG_LEARN_BAD_MODEL: damaged, with what is wrong.
 */
export function readModel(json: unknown): LearnedModel {
  const document = recordOf(json, 'the document');
  if (document['format'] !== MODEL_FORMAT) throw bad(`format is not ${MODEL_FORMAT}`);
  if (document['version'] !== MODEL_VERSION) {
    const version = JSON.stringify(document['version'])?.slice(0, 40) ?? 'none';
    throw other(`version is ${version}, not ${MODEL_VERSION}`);
  }
  const { checksum, ...rest } = document;
  if (typeof checksum !== 'string' || checksum !== checksumOf(rest)) throw bad('its checksum does not fit');
  const shape = shapeIn(document['shape']);
  const names = namesIn(document['names'], shape);
  const units = numberIn(document, 'units', 1, UNITS_MAX, true);
  const parameters = figuresIn(document, 'parameters', new PolicyNetwork(shape, units).parameters);
  const { perService, global } = recordOf(document['scales'], 'scales');
  const scales = {
    perService: scalesIn(perService, shape.serviceFeatures),
    global: scalesIn(global, shape.globalFeatures),
    clip: numberIn(document, 'observationClip', 0.1, 1e3),
  };
  const given = recordOf(document['ranges'], 'ranges');
  const ranges = {
    perService: rangesIn(given['perService'], shape.serviceFeatures),
    global: rangesIn(given['global'], shape.globalFeatures),
  };
  const training = trainingIn(document['training']);
  return { actor: new TrainedActor({ shape, units, parameters, scales }, ranges), names, training, checksum };
}

/**
 * Holds a model against what it is to be used for.
 * @throws TidegateError TG_LEARN_OTHER_MODEL: another shape, or other features or in another order.
 */
export function requireFeatures(model: LearnedModel, shape: EnvironmentShape, names: FeatureNames): void {
  for (const key of ['serviceFeatures', 'globalFeatures', 'serviceActions'] as const) {
    const has = model.actor.shape[key];
    if (has !== shape[key]) throw other(`${key} is ${has}, not ${shape[key]}`);
  }
  for (const key of ['perService', 'global', 'actions'] as const) {
    const at = names[key].findIndex((name, index) => name !== model.names[key][index]);
    if (at >= 0)
      throw other(`names.${key}[${at}] is ${model.names[key][at] ?? 'none'}, not ${names[key][at] ?? ''}`);
  }
}

function bad(what: string): TidegateError {
  return new TidegateError('TG_LEARN_BAD_MODEL', `the model cannot be used: ${what}`);
}

function other(what: string): TidegateError {
  return new TidegateError('TG_LEARN_OTHER_MODEL', `the model is for something else: ${what}`);
}

function recordOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(`${name} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

function numberIn(
  record: Readonly<Record<string, unknown>>,
  key: string,
  least: number,
  most: number,
  whole = false,
): number {
  const value = record[key];
  if (
    typeof value !== 'number' ||
    !(value >= least && value <= most) ||
    (whole && !Number.isInteger(value))
  ) {
    throw bad(`${key} is not a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  }
  return value;
}

function figuresIn(record: Readonly<Record<string, unknown>>, key: string, length: number): Float64Array {
  const figures = textToFigures(record[key], length);
  if (figures === undefined) throw bad(`${key} does not hold ${length} finite figures`);
  const wild = figures.find((figure) => Math.abs(figure) > FIGURE_MAX);
  if (wild !== undefined) throw bad(`${key} holds ${wild}, which is beyond ${FIGURE_MAX}`);
  return figures;
}

function shapeIn(value: unknown): EnvironmentShape {
  const shape = recordOf(value, 'shape');
  return {
    serviceFeatures: numberIn(shape, 'serviceFeatures', 1, FEATURES_MAX, true),
    globalFeatures: numberIn(shape, 'globalFeatures', 0, FEATURES_MAX, true),
    serviceActions: numberIn(shape, 'serviceActions', 1, FEATURES_MAX, true),
  };
}

function namesIn(value: unknown, shape: EnvironmentShape): FeatureNames {
  const names = recordOf(value, 'names');
  const list = (key: keyof FeatureNames, length: number): readonly string[] => {
    const given = names[key];
    const fits = (name: unknown): name is string =>
      typeof name === 'string' && name !== '' && name.length <= NAME_LENGTH_MAX;
    if (!Array.isArray(given) || given.length !== length || !given.every(fits)) {
      throw bad(`names.${key} are not ${length} names`);
    }
    return given;
  };
  return {
    perService: list('perService', shape.serviceFeatures),
    global: list('global', shape.globalFeatures),
    actions: list('actions', shape.serviceActions),
  };
}

function scalesOut({ means, deviations }: FeatureScales): Record<keyof FeatureScales, string> {
  return { means: figuresToText(means), deviations: figuresToText(deviations) };
}

function scalesIn(value: unknown, features: number): FeatureScales {
  const record = recordOf(value, 'scales');
  const deviations = figuresIn(record, 'deviations', features);
  if (deviations.some((deviation) => !(deviation > 0))) throw bad('deviations are not all above 0');
  return { means: figuresIn(record, 'means', features), deviations };
}

function rangesOut({ least, low, high, most }: FeatureRanges): Record<keyof FeatureRanges, string> {
  return {
    least: figuresToText(least),
    low: figuresToText(low),
    high: figuresToText(high),
    most: figuresToText(most),
  };
}

function rangesIn(value: unknown, features: number): FeatureRanges {
  const record = recordOf(value, 'ranges');
  const ranges = {
    least: figuresIn(record, 'least', features),
    low: figuresIn(record, 'low', features),
    high: figuresIn(record, 'high', features),
    most: figuresIn(record, 'most', features),
  };
  const upright = (at: number): boolean =>
    ranges.least[at]! <= ranges.low[at]! &&
    ranges.low[at]! <= ranges.high[at]! &&
    ranges.high[at]! <= ranges.most[at]!;
  const wrong = ranges.least.findIndex((_, at) => !upright(at));
  if (wrong >= 0) throw bad(`ranges of feature ${wrong} are not in order`);
  return ranges;
}

function trainingIn(value: unknown): TrainingFacts {
  const training = recordOf(value, 'training');
  const scores = recordOf(training['scores'], 'training.scores');
  for (const key of Object.keys(scores)) numberIn(scores, key, -Number.MAX_VALUE, Number.MAX_VALUE);
  return {
    seed: numberIn(training, 'seed', 0, Number.MAX_SAFE_INTEGER, true),
    settings: recordOf(training['settings'], 'training.settings'),
    data: recordOf(training['data'], 'training.data'),
    scores: scores as Readonly<Record<string, number>>,
  };
}
