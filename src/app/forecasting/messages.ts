/** What crosses between the thread that serves and the thread that controls; all of it structured-cloneable. */
import type { ControlAskName, ControlAsks, ControlEvent } from '../../core/control-desk';
import type { AskName, ForecastAsks } from '../../core/forecast-desk';
import type { ForecastFigures } from '../../core/forecasts';
import type { MeshAskName, MeshAsks } from '../../core/mesh-view';
import type { PlainError } from '../../core/plain-error';
import type { BoundAddress } from '../../core/ports';
import type { MeshFigures } from '../../telemetry/mesh-series';
import type { TargetBucket } from '../mesh/target-buckets';
import type { ObservationBatch } from '../../core/observation';
import type { Settings } from '../../config/settings-shape';
import type { AtOnceSum } from '../control/at-once';
import type { PoolFigures } from '../../telemetry/pool-series';
import type { PackedTable } from '../control/packed-table';
import type { PoolSetup } from '../control/pool-setup';
import type { BucketAnswer, BucketAsk } from '../control/serving-operator';

/** What the control thread is started with. */
export interface ControlSetup {
  readonly controlThread: true;
  readonly settings: Settings;
  /** Names this process in its group. */
  readonly source: string;
  /** Where the control port was bound before, when the thread is begun anew. */
  readonly controlPort?: number;
}

/** To the control thread. */
export type ToControl =
  | { readonly kind: 'observe'; readonly batch: ObservationBatch }
  | {
      readonly kind: 'ask';
      readonly id: number;
      readonly name: AskName;
      readonly ask: ForecastAsks[AskName]['ask'];
    }
  | {
      readonly kind: 'ask-control';
      readonly id: number;
      readonly name: ControlAskName;
      readonly ask: ControlAsks[ControlAskName]['ask'];
    }
  | { readonly kind: 'borrowed'; readonly loans: readonly AtOnceSum[] }
  | {
      readonly kind: 'ask-mesh';
      readonly id: number;
      readonly name: MeshAskName;
      readonly ask: MeshAsks[MeshAskName]['ask'];
    }
  | { readonly kind: 'pools'; readonly setups: readonly PoolSetup[] }
  | { readonly kind: 'targets'; readonly buckets: readonly TargetBucket[] }
  /** Whether the process serves: what health on the control port answers. */
  | { readonly kind: 'serving'; readonly serving: boolean }
  /** What was asked of buckets of this process. */
  | { readonly kind: 'operated'; readonly id: number; readonly answer: BucketAnswer }
  | { readonly kind: 'stop' };

/** A line of the log; errors are flattened on the way. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** An answer to any ask. */
export type Answer =
  ForecastAsks[AskName]['answer'] | ControlAsks[ControlAskName]['answer'] | MeshAsks[MeshAskName]['answer'];

/** From the control thread. */
export type FromControl =
  | { readonly kind: 'ready' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'listening'; readonly address: BoundAddress }
  | { readonly kind: 'listen-failed'; readonly error: PlainError }
  | { readonly kind: 'mesh-figures'; readonly figures: MeshFigures }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly id: number; readonly error: PlainError }
  | { readonly kind: 'figures'; readonly figures: ForecastFigures }
  | { readonly kind: 'pool-figures'; readonly figures: PoolFigures }
  | { readonly kind: 'table'; readonly table: PackedTable }
  | { readonly kind: 'event'; readonly event: ControlEvent }
  | { readonly kind: 'operate'; readonly id: number; readonly ask: BucketAsk }
  | { readonly kind: 'log'; readonly line: LogLine }
  | { readonly kind: 'stopped' };
