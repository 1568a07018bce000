/** Models as documents: what is read is what was written, and what is damaged is refused with what is wrong. */
import fc from 'fast-check';
import type { LearnerObservation } from '../../src/learn/environment';
import { checksumOf } from '../../src/learn/model/checksum';
import { figuresToText, textToFigures } from '../../src/learn/model/figures-text';
import { readModel, requireFeatures, writeModel } from '../../src/learn/model/model';
import { TrainedActor } from '../../src/learn/model/trained-actor';
import { PpoLearner } from '../../src/learn/ppo/learner';
import { codeOf } from './parts/refusals';
import { TargetMatching } from './parts/target-matching';
import { QUICK, train } from './parts/training';

const names = { perService: ['seen', 'noise'], global: ['load'], actions: ['factor'] };
const training = {
  seed: 7,
  settings: { epochs: 4 },
  data: { days: 3 },
  scores: { loss: 0.5 },
};
const environment = new TargetMatching();
const learner = new PpoLearner(environment.shape, QUICK, 1);
train(learner, environment, 3);
const actor = learner.actor();
const document = writeModel(actor, names, training);
const parsed = (): Record<string, unknown> => JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
const observation: LearnerObservation = {
  services: 2,
  perService: Float64Array.of(3, 0.5, -20, 0.1),
  global: Float64Array.of(0.5),
};

describe('a model', () => {
  test('that was read acts as the one that was written, to the bit', () => {
    const model = readModel(parsed());
    expect(model.actor.act(observation)).toEqual(actor.act(observation));
    expect(model.actor.ranges).toEqual(actor.ranges);
    expect(model).toMatchObject({ names, training, checksum: document.checksum });
  });

  test('is read whatever the order of its keys', () => {
    const turned = Object.fromEntries(Object.entries(parsed()).reverse());
    expect(readModel(turned).actor.act(observation)).toEqual(actor.act(observation));
  });

  test.each<[string, () => void]>([
    [
      'other features',
      () => requireFeatures(readModel(parsed()), { ...actor.shape, serviceFeatures: 3 }, names),
    ],
    [
      'features in another order',
      () => requireFeatures(readModel(parsed()), actor.shape, { ...names, perService: ['noise', 'seen'] }),
    ],
  ])('for %s is told to be for something else', (_, attempt) => {
    expect(codeOf(attempt)).toBe('TG_LEARN_OTHER_MODEL');
  });

  test('for the same features is taken', () => {
    expect(() => requireFeatures(readModel(parsed()), actor.shape, names)).not.toThrow();
  });

  test('is not written with weights that are no figures, or names that do not fit', () => {
    const { snapshot, ranges } = actor;
    const spoilt = new TrainedActor({ ...snapshot, parameters: snapshot.parameters.map(() => NaN) }, ranges);
    expect(() => writeModel(spoilt, names, training)).toThrow(/parameters/);
    expect(() => writeModel(actor, { ...names, global: [] }, training)).toThrow(/names.global/);
  });
});

/** A document that was changed by somebody who also mended the checksum. */
function changed(change: (document: Record<string, unknown>) => void): unknown {
  const rest = parsed();
  delete rest['checksum'];
  change(rest);
  return { ...rest, checksum: checksumOf(rest) };
}

/** A change of what lies at a path. */
const at =
  (path: readonly string[], value: unknown) =>
  (whole: Record<string, unknown>): void => {
    const inner = path
      .slice(0, -1)
      .reduce<Record<string, unknown>>((one, key) => one[key] as Record<string, unknown>, whole);
    inner[path.at(-1)!] = value;
  };

describe('a damaged or foreign model', () => {
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /not an object/],
    ['a list', [], /not an object/],
    ['a text', 'model', /not an object/],
    ['an empty object', {}, /format/],
    ['another format', { format: 'onnx' }, /format/],
    ['a flipped bit', { ...parsed(), units: 13 }, /checksum/],
    ['no checksum', { ...parsed(), checksum: undefined }, /checksum/],
    ['other units', changed(at(['units'], 13)), /parameters/],
    ['units of no number', changed(at(['units'], '12')), /units/],
    ['too many units', changed(at(['units'], 1e9)), /units/],
    ['half a unit', changed(at(['units'], 11.5)), /units/],
    ['no services figures', changed(at(['shape', 'serviceFeatures'], 0)), /serviceFeatures/],
    ['another shape', changed(at(['shape', 'serviceActions'], 2)), /names|parameters/],
    ['a clip of nothing', changed(at(['observationClip'], 0)), /observationClip/],
    ['names of another number', changed(at(['names', 'perService'], ['a'])), /names.perService/],
    ['a name that is none', changed(at(['names', 'global'], [3])), /names.global/],
    ['a long name', changed(at(['names', 'global'], ['x'.repeat(201)])), /names.global/],
    ['text that is no figures', changed(at(['parameters'], '*')), /parameters/],
    ['wild figures', changed(at(['scales', 'global', 'means'], figuresToText([1e300]))), /means/],
    ['a deviation of 0', changed(at(['scales', 'global', 'deviations'], figuresToText([0]))), /deviations/],
    ['ranges upside down', changed(at(['ranges', 'global', 'least'], figuresToText([1e9]))), /not in order/],
    ['no ranges', changed(at(['ranges', 'perService'], null)), /ranges/],
    ['a score that is none', changed(at(['training', 'scores'], { loss: 'low' })), /loss/],
    ['a seed below 0', changed(at(['training', 'seed'], -1)), /seed/],
  ])('%s is refused', (_, json, message) => {
    const attempt = () => readModel(json);
    expect(attempt).toThrow(message);
    expect(codeOf(attempt)).toBe('TG_LEARN_BAD_MODEL');
  });

  test('of a later version says so', () => {
    expect(codeOf(() => readModel(changed(at(['version'], 2))))).toBe('TG_LEARN_OTHER_MODEL');
  });

  test('with any one character changed never acts', () => {
    const text = JSON.stringify(document);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('0', 'A', '"', ' ', '9'), (place, other) => {
        fc.pre(text[place] !== other);
        const broken = text.slice(0, place) + other + text.slice(place + 1);
        let json: unknown;
        try {
          json = JSON.parse(broken);
        } catch {
          return;
        }
        expect(() => readModel(json)).toThrow(/the model/);
      }),
      { numRuns: 200 },
    );
  });

  test('whatever JSON it is never acts, and throws nothing else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(codeOf(() => readModel(json))).toMatch(/^TG_LEARN_/);
      }),
    );
  });
});

describe('figures as text', () => {
  test('come back to the bit', () => {
    fc.assert(
      fc.property(fc.float64Array({ noNaN: true, noDefaultInfinity: true, maxLength: 9 }), (figures) => {
        const text = figuresToText(figures);
        expect(text).toBe(
          Buffer.from(figures.buffer, figures.byteOffset, figures.byteLength).toString('base64'),
        );
        expect(textToFigures(text, figures.length)).toEqual(Float64Array.from(figures));
      }),
    );
  });

  test.each<[string, unknown, number]>([
    ['is no text', 3, 1],
    ['has another length', figuresToText([1]), 2],
    ['has foreign digits', '-AAAAAAAAAA=', 1],
    ['has no padding', 'AAAAAAAAAAAA', 1],
    ['holds NaN', figuresToText([NaN]), 1],
    ['holds what is not finite', figuresToText([1, -Infinity]), 2],
  ])('are none when it %s', (_, text, length) => {
    expect(textToFigures(text, length)).toBeUndefined();
  });

  test('of no figures is no text', () => {
    expect(figuresToText([])).toBe('');
    expect(textToFigures('', 0)).toEqual(new Float64Array(0));
  });
});

describe('the checksum', () => {
  test('is that of ISO 3309, over both bytes of each unit of sorted JSON', () => {
    // What zlib's crc32 gives for the bytes 31 00: the text of the JSON 1.
    expect(checksumOf(1)).toBe('8784154d');
    expect(checksumOf({ a: 1, b: [2] })).toBe(checksumOf({ b: [2], a: 1, c: undefined }));
    expect(checksumOf({ a: 1, b: [2, 3] })).not.toBe(checksumOf({ a: 1, b: [3, 2] }));
  });
});

describe('a trained actor', () => {
  test('acts the same each time, in an array of its own', () => {
    const first = actor.act(observation);
    const kept = first.slice();
    expect(actor.act(observation)).toBe(first);
    expect(first).toEqual(kept);
    expect(first).toHaveLength(2);
  });

  test.each<[string, LearnerObservation, number]>([
    ['nothing but the usual', observation, 0],
    ['one figure far out', { ...observation, perService: Float64Array.of(3, 50, -20, 0.1) }, 0.2],
    ['one figure of NaN', { ...observation, global: Float64Array.of(NaN) }, 0.2],
    ['all far out', { services: 1, perService: Float64Array.of(1e9, -1e9), global: Float64Array.of(7) }, 1],
  ])('knows what it has never seen: %s', (_, seen, part) => {
    expect(actor.outOfRange(seen)).toBeCloseTo(part, 12);
  });

  test('of no services does nothing', () => {
    const none = { services: 0, perService: new Float64Array(0), global: Float64Array.of(0.5) };
    expect(actor.act(none)).toHaveLength(0);
    expect(actor.outOfRange(none)).toBe(0);
  });

  test.each<[string, LearnerObservation, string]>([
    ['NaN', { ...observation, perService: Float64Array.of(NaN, 0, 0, 0) }, 'TG_LEARN_NOT_FINITE'],
    ['figures of fewer services than told', { ...observation, services: 3 }, 'TG_LEARN_OTHER_MODEL'],
    ['no global figures', { ...observation, global: new Float64Array(0) }, 'TG_LEARN_OTHER_MODEL'],
  ])('does not act on %s', (_, seen, code) => {
    expect(codeOf(() => actor.act(seen))).toBe(code);
  });

  test('with weights that are no figures does not act', () => {
    const { snapshot, ranges } = actor;
    const spoilt = new TrainedActor({ ...snapshot, parameters: snapshot.parameters.map(() => NaN) }, ranges);
    expect(codeOf(() => spoilt.act(observation))).toBe('TG_LEARN_NOT_FINITE');
  });
});
