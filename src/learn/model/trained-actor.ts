/** A learned policy that acts, and says when it sees what it has never seen. */
import { TidegateError } from '../../core/errors';
import type { Actor, EnvironmentShape, LearnerObservation } from '../environment';
import type { FeatureRanges } from '../ppo/observed-ranges';
import { SnapshotActor, type PolicySnapshot } from '../ppo/policy-snapshot';

/** A figure counts as outside when it is further out than it ever was, by more than this part of the usual width. */
const MARGIN = 0.05;

/** Ranges of all that is seen. */
export interface ObservationRanges {
  readonly perService: FeatureRanges;
  readonly global: FeatureRanges;
}

/** Acts by its mean actions: without chance. */
export class TrainedActor implements Actor {
  private readonly inner: SnapshotActor;
  private action: Float64Array = new Float64Array(0);

  constructor(
    readonly snapshot: PolicySnapshot,
    readonly ranges: ObservationRanges,
  ) {
    this.inner = new SnapshotActor(snapshot);
  }

  get shape(): EnvironmentShape {
    return this.snapshot.shape;
  }

  /** @throws TidegateError TG_LEARN_NOT_FINITE: weights or what is seen are no figures; TG_LEARN_OTHER_MODEL: of another shape. */
  act(observation: LearnerObservation): Float64Array {
    const { shape } = this;
    const { services, perService, global } = observation;
    if (perService.length < services * shape.serviceFeatures || global.length < shape.globalFeatures) {
      throw new TidegateError(
        'TG_LEARN_OTHER_MODEL',
        `${perService.length} and ${global.length} figures were seen of ${services} services, not ${shape.serviceFeatures} of each and ${shape.globalFeatures}`,
      );
    }
    const length = services * shape.serviceActions;
    if (this.action.length !== length) this.action = new Float64Array(length);
    const means = this.inner.means(observation);
    for (let at = 0; at < length; at += 1) {
      const mean = means[at]!;
      if (!Number.isFinite(mean)) {
        throw new TidegateError(
          'TG_LEARN_NOT_FINITE',
          `the policy says ${mean} for service ${Math.floor(at / shape.serviceActions)}`,
        );
      }
      this.action[at] = mean;
    }
    return this.action;
  }

  /** The part of the figures seen, 0 to 1, that lie outside of all that was seen while learning; what is no number is outside. */
  outOfRange({ services, perService, global }: LearnerObservation): number {
    const { serviceFeatures, globalFeatures } = this.shape;
    const figures = services * serviceFeatures + globalFeatures;
    if (figures === 0) return 0;
    const outside =
      countOutside(this.ranges.perService, perService, services) +
      countOutside(this.ranges.global, global, 1);
    return outside / figures;
  }
}

function countOutside(
  { least, most, low, high }: FeatureRanges,
  figures: Float64Array,
  rows: number,
): number {
  const features = least.length;
  let outside = 0;
  for (let at = 0; at < rows * features; at += 1) {
    const feature = at % features;
    const margin = MARGIN * (high[feature]! - low[feature]!);
    const figure = figures[at]!;
    if (!(figure >= least[feature]! - margin && figure <= most[feature]! + margin)) outside += 1;
  }
  return outside;
}
