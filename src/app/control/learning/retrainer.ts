/** Trains a pool anew when its demand has drifted, or there is no model: seldom, elsewhere, and from history alone. */
import { TidegateError } from '../../../core/errors';
import type { Retraining } from './retraining';

/** What it stands on. */
export interface RetrainerParts {
  /** The least time between two trainings, ms. */
  readonly afterMs: number;
  /** Begins one; it may throw. */
  readonly begin: () => Retraining;
  /** Takes what was trained, as the text of a model file. */
  readonly done: (model: string) => void;
  /** Told why there is none. */
  readonly failed: (error: TidegateError) => void;
  /** Never steps back. */
  readonly monotonicMs: () => number;
}

/** See the file's head. */
export class Retrainer {
  private running: Retraining | undefined;
  private lastMs = -Infinity;

  constructor(private readonly parts: RetrainerParts) {}

  /** Whether a training is under way. */
  get busy(): boolean {
    return this.running !== undefined;
  }

  /** Begins a training where one is due. Never throws. @param wanted whether there is a reason for one. @returns whether it has. */
  look(wanted: boolean): boolean {
    const { afterMs, begin, monotonicMs } = this.parts;
    if (!wanted || this.busy || monotonicMs() < this.lastMs + afterMs) return false;
    this.lastMs = monotonicMs();
    try {
      const running = begin();
      this.running = running;
      void this.finish(running);
      return true;
    } catch (thrown) {
      this.parts.failed(TidegateError.from(thrown));
      return false;
    }
  }

  /** Ends what is under way; nothing comes of it. */
  close(): void {
    const { running } = this;
    this.running = undefined;
    running?.end();
  }

  private async finish(running: Retraining): Promise<void> {
    try {
      const model = await running.model;
      if (running === this.running) this.parts.done(model);
    } catch (thrown) {
      if (running === this.running) this.parts.failed(TidegateError.from(thrown));
    } finally {
      if (running === this.running) this.running = undefined;
      running.end();
    }
  }
}
