/** What goes to the thread that replays, and what comes back. */
import type { RegretFigures } from '../../../core/learning';
import type { RecordedInterval } from '../../../learn/replay/recorded';
import type { RegretRules } from '../../../learn/replay/regret-meter';

/** A model as its file holds it. */
export interface ModelText {
  readonly version: string;
  readonly text: string;
}

/** How a pool's model is to be measured. */
export interface WatchRules extends RegretRules {
  readonly maxFactor: number;
}

/** To the thread. */
export type ToLearning =
  | { readonly kind: 'model'; readonly pool: string; readonly model: ModelText; readonly rules: WatchRules }
  | { readonly kind: 'forget'; readonly pool: string }
  | {
      readonly kind: 'interval';
      readonly pool: string;
      readonly id: number;
      readonly recorded: RecordedInterval;
    };

/** From the thread: each interval is answered once, in order. */
export type FromLearning =
  | { readonly kind: 'figures'; readonly pool: string; readonly id: number; readonly figures: RegretFigures }
  | { readonly kind: 'failed'; readonly pool: string; readonly id: number; readonly message: string };

/** A thread, as its host needs it; tests give others. */
export interface LearningPort {
  post(message: ToLearning): void;
  onMessage(listener: (message: FromLearning) => void): void;
  /** Told once, whyever it ended. */
  onEnd(listener: (why: string) => void): void;
  end(): void;
}
