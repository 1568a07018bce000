/**
 * A folder of models by version: each in a file of its own, written whole; a bounded number of them, the newest, and those that
 * somebody has pinned. Files that are damaged are told of and left out, never deleted.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { TidegateError } from '../../core/errors';
import { writeWhole } from '../backtest/report-files';
import { isRecord } from './sealed-file';
import { isVersion, modelFromJson, modelFromText, readModelFile, type ModelFile } from './model-file';

/** What is told of a model. */
export interface ModelInfo {
  readonly version: string;
  /** When it came into the folder, Unix ms. */
  readonly createdAtMs: number;
  readonly pinned: boolean;
  /** How it came to be. */
  readonly seed: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>>;
  readonly scores: Readonly<Record<string, number>>;
}

/** A model with its text. */
export interface StoredModel extends ModelFile {
  readonly info: ModelInfo;
}

/** What is in the folder. */
export interface ModelList {
  /** The newest first. */
  readonly models: readonly ModelInfo[];
  /** Files that are none, and why. */
  readonly bad: readonly { readonly file: string; readonly error: TidegateError }[];
}

/** Models that are kept beside those that are pinned. */
export const MODELS_KEPT = 20;
/** Pinned ones at most. */
const PINNED_MAX = 20;
const SUFFIX = '.model.json';
const PINS = 'pinned.json';

/** See the file's head. Nothing is kept in memory: several processes may use one folder. */
export class ModelStore {
  /**
   * @param folder made when something is put in it.
   * @param nowMs Unix ms.
   */
  constructor(
    readonly folder: string,
    private readonly nowMs: () => number = Date.now,
  ) {}

  /**
   * Puts a model in: parsed, or its text. One that is there already only becomes the newest. What is then too much goes, the oldest first.
   * @throws TidegateError TG_LEARN_BAD_MODEL, TG_LEARN_OTHER_MODEL, or TG_OUTPUT_UNWRITABLE.
   */
  async put(given: unknown): Promise<ModelInfo> {
    const file = typeof given === 'string' ? modelFromText(given) : modelFromJson(given);
    const path = this.pathOf(file.version);
    try {
      mkdirSync(this.folder, { recursive: true });
    } catch (thrown) {
      throw unwritable(this.folder, thrown);
    }
    writeWhole(path, file.text);
    this.stamp(path);
    await this.trim(file.version);
    return infoOf(file, createdAtMs(path), this.pins().has(file.version));
  }

  /** What there is. @throws TidegateError TG_LEARN_BAD_MODEL when the folder cannot be read; none at all is an empty one. */
  async list(): Promise<ModelList> {
    const pins = this.pins();
    const models: ModelInfo[] = [];
    const bad: ModelList['bad'][number][] = [];
    for (const version of this.versions()) {
      const path = this.pathOf(version);
      try {
        models.push(infoOf(this.read(version), createdAtMs(path), pins.has(version)));
      } catch (thrown) {
        bad.push({ file: path, error: TidegateError.from(thrown, 'TG_LEARN_BAD_MODEL') });
      }
    }
    models.sort((a, b) => b.createdAtMs - a.createdAtMs || (a.version < b.version ? -1 : 1));
    return { models, bad };
  }

  /** @throws TidegateError TG_LEARN_UNKNOWN_MODEL, or TG_LEARN_BAD_MODEL when the file is damaged. */
  async get(version: string): Promise<StoredModel> {
    this.assertThere(version);
    const file = this.read(version);
    return { ...file, info: infoOf(file, createdAtMs(this.pathOf(version)), this.pins().has(version)) };
  }

  /** Takes a model out, pinned or not. @throws TidegateError TG_LEARN_UNKNOWN_MODEL or TG_OUTPUT_UNWRITABLE. */
  async remove(version: string): Promise<void> {
    this.assertThere(version);
    this.drop(version);
    await this.pin(version, false);
  }

  /**
   * Says whether a model stays however old it is. Of too many the one that was pinned first is no longer.
   * @throws TidegateError TG_LEARN_UNKNOWN_MODEL or TG_OUTPUT_UNWRITABLE.
   */
  async pin(version: string, pinned: boolean): Promise<void> {
    if (pinned) this.assertThere(version);
    const before = this.pins();
    if (before.has(version) === pinned) return;
    const others = [...before].filter((one) => one !== version);
    const pins = pinned ? [...others, version].slice(-PINNED_MAX) : others;
    writeWhole(join(this.folder, PINS), `${JSON.stringify(pins)}\n`);
  }

  /** Takes out what is too much: the oldest that are not pinned, never the one that has just come. */
  private async trim(newest: string): Promise<void> {
    const { models } = await this.list();
    const loose = models.filter(({ pinned, version }) => !pinned && version !== newest);
    for (const { version } of loose.slice(MODELS_KEPT - 1)) this.drop(version);
  }

  private drop(version: string): void {
    try {
      rmSync(this.pathOf(version), { force: true });
    } catch (thrown) {
      throw unwritable(this.pathOf(version), thrown);
    }
  }

  private read(version: string): ModelFile {
    const path = this.pathOf(version);
    const file = readModelFile(path);
    if (file.version === version) return file;
    const why = `it is the model ${file.version}, not what its name says`;
    throw new TidegateError('TG_LEARN_BAD_MODEL', why, { at: { file: path } });
  }

  private assertThere(version: string): void {
    if (isVersion(version) && statSync(this.pathOf(version), { throwIfNoEntry: false })?.isFile() === true)
      return;
    throw new TidegateError('TG_LEARN_UNKNOWN_MODEL', `there is no model '${version.slice(0, 64)}'`);
  }

  private pathOf(version: string): string {
    return join(this.folder, `${version}${SUFFIX}`);
  }

  private versions(): readonly string[] {
    try {
      return readdirSync(this.folder)
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => name.slice(0, -SUFFIX.length))
        .filter(isVersion);
    } catch (thrown) {
      if (isRecord(thrown) && thrown['code'] === 'ENOENT') return [];
      throw TidegateError.from(thrown, 'TG_LEARN_BAD_MODEL');
    }
  }

  /** Pins that cannot be read are none: nothing but the age of models depends on them. */
  private pins(): ReadonlySet<string> {
    try {
      const pins: unknown = JSON.parse(readFileSync(join(this.folder, PINS), 'utf8'));
      const named = (one: unknown): one is string => typeof one === 'string' && isVersion(one);
      return new Set(Array.isArray(pins) ? pins.filter(named) : []);
    } catch {
      return new Set();
    }
  }

  /** The file's time is when it came: it has to grow, whatever the clock does. */
  private stamp(path: string): void {
    const newest = Math.max(
      0,
      ...this.versions().map((version) => {
        const other = this.pathOf(version);
        return other === path ? 0 : createdAtMs(other);
      }),
    );
    const at = Math.max(this.nowMs(), newest + 1) / 1_000;
    utimesSync(path, at, at);
  }
}

function createdAtMs(path: string): number {
  return Math.round(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

function infoOf({ version, model }: ModelFile, createdAtMs: number, pinned: boolean): ModelInfo {
  return { version, createdAtMs, pinned, ...model.training };
}

function unwritable(path: string, thrown: unknown): TidegateError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new TidegateError('TG_OUTPUT_UNWRITABLE', why, { at: { file: path }, cause: thrown });
}
