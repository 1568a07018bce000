/**
 * What the leader shows its group: the forecasts of the busiest classes, and what of alerts, replicas, anomalies and accuracy
 * is told with them. A head in JSON says what the figures after it are; both are checked before anything is believed.
 */
import { z } from 'zod';
import {
  HORIZON_STEPS,
  HORIZONS,
  LEVELS,
  type AccuracyView,
  type AlertView,
  type AnomalyView,
  type DriftView,
  type HorizonName,
  type Prediction,
  type ReplicasView,
} from '../../../core/forecasts';
import { MAX_BOARD_BYTES } from '../../../core/group';

/** What a board tells beside forecasts. */
export interface BoardNews {
  /** The leader. */
  readonly source: string;
  readonly madeAtMs: number;
  readonly alerts: readonly AlertView[];
  readonly replicas: readonly ReplicasView[];
  readonly anomalies: readonly AnomalyView[];
  readonly drifts: readonly DriftView[];
  readonly accuracy: readonly AccuracyView[];
}

/** Forecasts of one class, one for each of LEVELS, by horizon. */
export type ClassPredictions = Readonly<Partial<Record<HorizonName, readonly Prediction[]>>>;

/** A board as it is read. */
export interface Board extends BoardNews {
  /** Classes whose forecasts are told. */
  readonly classes: number;
  /** Undefined where nothing is told of it. */
  predict(classId: string, horizon: HorizonName, level: number): Prediction | undefined;
}

const VERSION = 1;
const HEAD_BYTES = 8;
const FLOAT_BYTES = 4;
/** Figures of a step: the mean, and two bounds for each level. */
const STEP_FIGURES = 1 + 2 * LEVELS.length;
/** What a head may take; the rest is for figures. */
const MAX_HEAD_BYTES = MAX_BOARD_BYTES / 2;
const MAX_LIST = 1_000;

const entrySchema = z.object({
  id: z.string(),
  horizon: z.enum(HORIZONS),
  figure: z.enum(['hits', 'level']),
  madeAtMs: z.number(),
  firstAtMs: z.number(),
  steps: z.int().min(1).max(HORIZON_STEPS['1d'].steps),
  model: z.string(),
  version: z.number(),
  warm: z.boolean(),
  flags: z.array(z.string()).max(16),
});
type Entry = z.output<typeof entrySchema>;

const nullable = z.number().nullable();
const horizonSchema = z.enum(HORIZONS);
const headSchema = z.object({
  version: z.literal(VERSION),
  source: z.string().max(256),
  madeAtMs: z.number(),
  alerts: z
    .array(
      z.object({
        name: z.string(),
        classId: z.string(),
        horizon: horizonSchema,
        abovePerS: z.number(),
        active: z.boolean(),
        sinceMs: nullable,
        valuePerS: nullable,
        crossesAtMs: nullable,
      }),
    )
    .max(MAX_LIST),
  replicas: z
    .array(
      z.object({
        service: z.string(),
        recommended: nullable,
        capacityPerReplica: nullable,
        demandPerS: nullable,
        why: z.string(),
      }),
    )
    .max(MAX_LIST),
  anomalies: z
    .array(
      z.object({
        classId: z.string(),
        startMs: z.number(),
        endMs: z.number().exactOptional(),
        peakMs: z.number(),
        score: z.number(),
        reason: z.string(),
        actual: nullable,
        expected: nullable,
      }),
    )
    .max(MAX_LIST),
  drifts: z
    .array(z.object({ classId: z.string(), atMs: z.number(), kind: z.string(), score: z.number() }))
    .max(MAX_LIST),
  accuracy: z
    .array(
      z.object({
        classId: z.string(),
        horizon: horizonSchema,
        model: z.string(),
        version: z.number(),
        scored: z.number(),
        mae: nullable,
        maeRatio: nullable,
        bias: nullable,
        coverage80: nullable,
        coverage95: nullable,
      }),
    )
    .max(MAX_LIST),
  entries: z.array(entrySchema).max(100_000),
});

/** Packs a board; lists are cut to a thousand, and classes beyond what it can hold are left out, the last first. */
export function packBoard(news: BoardNews, classes: Iterable<ClassPredictions>): Uint8Array {
  const entries: Entry[] = [];
  const figures: number[] = [];
  const head = {
    version: VERSION,
    ...news,
    alerts: news.alerts.slice(0, MAX_LIST),
    replicas: news.replicas.slice(0, MAX_LIST),
    anomalies: news.anomalies.slice(0, MAX_LIST),
    drifts: news.drifts.slice(0, MAX_LIST),
    accuracy: news.accuracy.slice(0, MAX_LIST),
  };
  let headBytes = Buffer.byteLength(JSON.stringify(head)) + HEAD_BYTES;
  for (const one of classes) {
    const packed = HORIZONS.flatMap((horizon) => entryOf(one[horizon] ?? []) ?? []);
    headBytes += packed.reduce((sum, { entry }) => sum + Buffer.byteLength(JSON.stringify(entry)) + 1, 0);
    const added = packed.reduce((sum, { values }) => sum + values.length, 0);
    const bytes = headBytes + (figures.length + added) * FLOAT_BYTES + 2 * HEAD_BYTES;
    if (headBytes > MAX_HEAD_BYTES || bytes > MAX_BOARD_BYTES) break;
    for (const { entry, values } of packed) {
      entries.push(entry);
      for (const value of values) figures.push(value);
    }
  }
  const text = Buffer.from(JSON.stringify({ ...head, entries }), 'utf8');
  const out = Buffer.alloc(HEAD_BYTES + text.length + figures.length * FLOAT_BYTES);
  out.writeUInt32LE(text.length, 0);
  out.writeUInt32LE(figures.length, FLOAT_BYTES);
  text.copy(out, HEAD_BYTES);
  figures.forEach((value, index) => out.writeFloatLE(value, HEAD_BYTES + text.length + index * FLOAT_BYTES));
  return out;
}

function entryOf(predictions: readonly Prediction[]): { entry: Entry; values: number[] } | undefined {
  const [first] = predictions;
  const firstAtMs = first?.steps[0]?.atMs;
  if (first === undefined || firstAtMs === undefined || predictions.length !== LEVELS.length)
    return undefined;
  const { classId: id, horizon, figure, madeAtMs, model, version, warm, flags } = first;
  if (figure !== 'hits' && figure !== 'level') return undefined;
  const values = first.steps.flatMap(({ mean }, step) => [
    mean,
    ...predictions.flatMap((one) => [one.steps[step]?.lower ?? mean, one.steps[step]?.upper ?? mean]),
  ]);
  const steps = first.steps.length;
  const entry: Entry = {
    id,
    horizon,
    figure,
    madeAtMs,
    firstAtMs,
    steps,
    model,
    version,
    warm,
    flags: [...flags],
  };
  return { entry, values };
}

/** @returns undefined for bytes that are no board. */
export function readBoard(bytes: Uint8Array): Board | undefined {
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (from.length < HEAD_BYTES) return undefined;
  const headBytes = from.readUInt32LE(0);
  const count = from.readUInt32LE(FLOAT_BYTES);
  if (from.length !== HEAD_BYTES + headBytes + count * FLOAT_BYTES) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(from.toString('utf8', HEAD_BYTES, HEAD_BYTES + headBytes));
  } catch {
    return undefined;
  }
  const head = headSchema.safeParse(json).data;
  if (head === undefined) return undefined;
  const places = new Map<string, { readonly entry: Entry; readonly at: number }>();
  let at = 0;
  for (const entry of head.entries) {
    places.set(`${entry.horizon} ${entry.id}`, { entry, at });
    at += entry.steps * STEP_FIGURES;
  }
  if (at !== count) return undefined;
  const { entries, source, madeAtMs, alerts, replicas, anomalies, drifts, accuracy } = head;
  const figure = (index: number): number => from.readFloatLE(HEAD_BYTES + headBytes + index * FLOAT_BYTES);
  return {
    source,
    madeAtMs,
    alerts,
    replicas,
    anomalies,
    drifts,
    accuracy,
    classes: new Set(entries.map(({ id }) => id)).size,
    predict: (classId, horizon, level) => {
      const place = places.get(`${horizon} ${classId}`);
      return place === undefined ? undefined : predictionAt(place.entry, level, place.at, figure);
    },
  };
}

function predictionAt(
  entry: Entry,
  level: number,
  at: number,
  figure: (index: number) => number,
): Prediction | undefined {
  const place = LEVELS.findIndex((one) => one === level);
  if (place < 0) return undefined;
  const { id: classId, horizon, figure: what, madeAtMs, firstAtMs, model, version, warm, flags } = entry;
  const { stepMs } = HORIZON_STEPS[horizon];
  const steps = Array.from({ length: entry.steps }, (_, step) => {
    const from = at + step * STEP_FIGURES;
    return {
      atMs: firstAtMs + step * stepMs,
      mean: figure(from),
      lower: figure(from + 1 + 2 * place),
      upper: figure(from + 2 + 2 * place),
    };
  });
  if (!steps.every(({ mean, lower, upper }) => [mean, lower, upper].every(Number.isFinite))) return undefined;
  return {
    classId,
    figure: what,
    horizon,
    level,
    madeAtMs,
    stepMs,
    model,
    version,
    source: 'leader',
    warm,
    flags,
    steps,
  };
}
