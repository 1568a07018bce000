/** Where pools' models are: a folder for each, and a file for those that have none yet. */
import { join } from 'node:path';
import { TidegateError } from '../../../core/errors';
import { modelFromText, readModelFile } from '../../training/model-file';
import { ModelStore } from '../../training/model-store';
import type { ModelText } from './learning-messages';

/** What was found. */
export interface FoundModel {
  readonly model: ModelText | undefined;
  /** Files that are no models that can be used. */
  readonly bad: readonly { readonly file: string; readonly error: TidegateError }[];
}

const NOTHING = { models: [], bad: [] } as const;

/** Models by pool. */
export class PoolModels {
  /**
   * @param folder of all pools' folders; empty: none is kept. @param first a model file for pools that have none; empty for none.
   * @param nowMs Unix ms.
   */
  constructor(
    private readonly folder: string,
    private readonly first: string,
    private readonly nowMs: () => number,
  ) {}

  /** The newest of a pool, or the first for all. Rejects with a TidegateError of what cannot be read. */
  async newest(pool: string): Promise<FoundModel> {
    const store = this.storeOf(pool);
    const { models, bad } = (await store?.list()) ?? NOTHING;
    const [newest] = models;
    if (newest !== undefined && store !== undefined)
      return { model: textOf(await store.get(newest.version)), bad };
    if (this.first === '') return { model: undefined, bad };
    const file = readModelFile(this.first);
    // It is kept like any other, to go back to.
    await store?.put(file.text);
    return { model: textOf(file), bad };
  }

  /** One of that version. Rejects with a TidegateError where it is not kept any more. */
  async version(pool: string, version: string): Promise<ModelText> {
    const store = this.storeOf(pool);
    if (store === undefined) throw new TidegateError('TG_LEARN_UNKNOWN_MODEL', 'no models are kept');
    return textOf(await store.get(version));
  }

  /** Keeps a model that was trained. Rejects with a TidegateError. */
  async put(pool: string, text: string): Promise<ModelText> {
    await this.storeOf(pool)?.put(text);
    return textOf(modelFromText(text));
  }

  /** Names of pools are no names of folders: one may be two dots. */
  private storeOf(pool: string): ModelStore | undefined {
    return this.folder === '' ? undefined : new ModelStore(join(this.folder, `pool-${pool}`), this.nowMs);
  }
}

function textOf({ version, text }: { readonly version: string; readonly text: string }): ModelText {
  return { version, text };
}
