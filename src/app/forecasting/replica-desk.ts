/** Recommends replica counts from forecasts and from what one replica serves. */
import type { HorizonName, Prediction, ReplicasView } from '../../core/forecasts';
import { measuredCapacityPerS, replicasFor, type ServiceLoad } from '../../forecast/replicas';
import type { ForecastSettings } from './scales';

type ReplicaSettings = ForecastSettings['replicas'][number];

/** What recommendations stand on. */
export interface ReplicaParts {
  readonly predict: (classId: string, horizon: HorizonName, level: number) => Prediction | undefined;
  /** A service over the last minutes, step by step, by the signal of its instances' CPU. */
  readonly loads: (service: string, signal: string) => readonly ServiceLoad[];
}

/** See the file's head. */
export class ReplicaDesk {
  constructor(
    private readonly services: readonly ReplicaSettings[],
    private readonly parts: ReplicaParts,
  ) {}

  /** The recommendations of now. */
  views(): readonly ReplicasView[] {
    return this.services.map((service) => this.viewOf(service));
  }

  private viewOf(settings: ReplicaSettings): ReplicasView {
    const { service, horizon, capacityPerReplica, cpuSignal, targetUtilization, min, max } = settings;
    const prediction = this.parts.predict(`service:${service}`, horizon, 0.8);
    const peaks = (prediction?.steps ?? []).map((step) => step.upper);
    const demandPerS = peaks.length === 0 ? null : peaks.reduce((peak, rate) => Math.max(peak, rate), 0);
    const capacity =
      capacityPerReplica > 0
        ? capacityPerReplica
        : measuredCapacityPerS(this.parts.loads(service, cpuSignal), targetUtilization);
    const known = { service, capacityPerReplica: capacity ?? null, demandPerS };
    if (demandPerS === null)
      return { ...known, recommended: null, why: 'nothing is forecast of the service yet' };
    if (capacity === undefined) {
      return {
        ...known,
        recommended: null,
        why: 'what a replica serves is not known: too little load was seen',
      };
    }
    const recommended = replicasFor(demandPerS, capacity, { min, max });
    const source = capacityPerReplica > 0 ? 'set' : 'measured';
    return {
      ...known,
      recommended,
      why: `the peak of the forecast's 80 % bound over the capacity ${source}`,
    };
  }
}
