/** A policy as it is at one time, to act with elsewhere: plain data, structured-cloneable. */
import { PolicyNetwork } from '../network/policy-network';
import { roomFor, type ServiceBatch } from '../network/service-batch';
import type { EnvironmentShape, LearnerObservation } from '../environment';
import { normalise, type ObservationScales } from './scales';

/** What it takes to act. */
export interface PolicySnapshot {
  readonly shape: EnvironmentShape;
  readonly units: number;
  readonly parameters: Float64Array;
  readonly scales: ObservationScales;
}

/** What it takes to explore. */
export interface ExploringSnapshot extends PolicySnapshot {
  /** Standard deviation of each of a service's actions. */
  readonly deviations: Float64Array;
}

/** Acts as a snapshot says. */
export class SnapshotActor {
  private readonly network: PolicyNetwork;
  private readonly starts = new Int32Array(2);
  private perService: Float64Array = new Float64Array(0);
  private readonly global: Float64Array;

  constructor(private readonly snapshot: PolicySnapshot) {
    this.network = new PolicyNetwork(snapshot.shape, snapshot.units);
    this.global = new Float64Array(snapshot.shape.globalFeatures);
  }

  /** Mean actions, services x service actions; the array is this one's own and may be longer. */
  means(observation: LearnerObservation): Float64Array {
    const { network, snapshot, starts, global } = this;
    const { scales, shape } = snapshot;
    this.perService = roomFor(this.perService, observation.services * shape.serviceFeatures);
    starts[1] = observation.services;
    normalise(scales.perService, scales.clip, observation.perService, observation.services, this.perService);
    normalise(scales.global, scales.clip, observation.global, 1, global);
    const batch: ServiceBatch = { samples: 1, starts, perService: this.perService, global };
    network.forward(batch, snapshot.parameters);
    return network.means;
  }
}
