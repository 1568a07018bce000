/** Trains a pool anew when its demand has drifted, or there is no model, or tunes the one that decides: seldom, elsewhere, and from history alone. */
import { TidegateError } from '../../../core/errors';
import type { ModelText } from './learning-messages';
import type { Retraining, TrainedText } from './retraining';

/** What it stands on. */
export interface RetrainerParts {
  /** The least time between two trainings, ms. */
  readonly afterMs: number;
  /** Begins one, or a tuning of a model; it may throw. */
  readonly begin: (from: ModelText | undefined) => Retraining;
  /** Takes what was trained, or tuned. */
  readonly done: (trained: TrainedText, from: ModelText | undefined) => void;
  /** Told why there is none. */
  readonly failed: (error: TidegateError, from: ModelText | undefined) => void;
  /** Never steps back. */
  readonly monotonicMs: () => number;
}

/** See the file's head. */
export class Retrainer {
  private running: Retraining | undefined;
  private lastMs = -Infinity;
  private readonly begunMs: number;

  constructor(private readonly parts: RetrainerParts) {
    this.begunMs = parts.monotonicMs();
  }

  /** Whether a training is under way. */
  get busy(): boolean {
    return this.running !== undefined;
  }

  /** Begins a training where one is due. Never throws. @param wanted whether there is a reason for one. @returns whether it has. */
  look(wanted: boolean): boolean {
    return wanted && this.beginAfter(this.lastMs, undefined);
  }

  /**
   * Begins to tune a model where that is due: as long after the last training or tuning as trainings are apart, and after the
   * start, before which there may have been one. Never throws.
   * @param model undefined for none to be tuned. @returns whether it has.
   */
  tune(model: ModelText | undefined): boolean {
    return model !== undefined && this.beginAfter(Math.max(this.begunMs, this.lastMs), model);
  }

  /** Ends what is under way; nothing comes of it. */
  close(): void {
    const { running } = this;
    this.running = undefined;
    running?.end();
  }

  private beginAfter(lastMs: number, from: ModelText | undefined): boolean {
    const { afterMs, begin, monotonicMs } = this.parts;
    if (this.busy || monotonicMs() < lastMs + afterMs) return false;
    this.lastMs = monotonicMs();
    try {
      const running = begin(from);
      this.running = running;
      void this.finish(running, from);
      return true;
    } catch (thrown) {
      this.parts.failed(TidegateError.from(thrown), from);
      return false;
    }
  }

  private async finish(running: Retraining, from: ModelText | undefined): Promise<void> {
    try {
      const trained = await running.model;
      if (running === this.running) this.parts.done(trained, from);
    } catch (thrown) {
      if (running === this.running) this.parts.failed(TidegateError.from(thrown), from);
    } finally {
      if (running === this.running) this.running = undefined;
      running.end();
    }
  }
}
