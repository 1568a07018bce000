/** A resource whose weights follow shares. */
import type { WeightDifference } from '../../core/mesh-view';
import type { MeshResource } from '../resource';

/** The shares of a group: for each class, `default` last, the share of each target, in the order of the settings' rows. */
export type ClassShares = readonly (readonly number[])[];

/** What is known of the shares now, by the group's place. */
export interface SharesNow {
  /** Undefined: as configured. */
  shares(group: number): ClassShares | undefined;
  /** What is configured on average, summing to 1. */
  usual(group: number): readonly number[];
}

/** See the module. */
export interface PatchedResource {
  /** The resource under these shares; the very same object for the same weights, the user's own where nothing differs. */
  encode(now: SharesNow): MeshResource;
  /** What the last encoding changed. */
  differences(): readonly WeightDifference[];
}
