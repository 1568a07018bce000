/** How targets are, now and as foreseen: by signals that are pulled, else by what Envoys tell. */
import type { Settings } from '../../config/settings-shape';
import type { Prediction } from '../../core/forecasts';
import type { ClassInfo, SignalSample } from '../../core/observation';
import type { TargetHealth } from '../../core/traffic';
import type { TrafficSnapshot } from '../../core/traffic-telemetry';
import type { History } from '../../history/history';
import { targetHealthOf } from '../../mesh/telemetry/target-health';
import { newestLevel } from '../newest-level';

/** What it stands on. */
export interface TargetHealthParts {
  readonly history: Pick<History, 'series'>;
  readonly names: Settings['mesh']['traffic']['signals'];
  /** The next minute of a class; it may throw. */
  readonly predict: (classId: string) => Prediction | undefined;
  /** Keeps a figure, so that it is forecast. */
  readonly put: (sample: SignalSample, info: ClassInfo) => void;
}

/** Where a target's health is told. */
export interface HealthPlace {
  readonly group: string;
  readonly id: string;
  readonly cluster: string;
  readonly endpoint: string;
  /** `service/instance`; empty: by what Envoys tell. */
  readonly signals: string;
}

/** How a target is. */
export interface SeenHealth {
  readonly now: TargetHealth;
  readonly ahead: TargetHealth | undefined;
}

type Figure = keyof TargetHealth;

const FIGURES = ['errorShare', 'latencyP50Ms', 'latencyP99Ms', 'cpu', 'memory', 'out'] as const;
const UNKNOWN: Record<Figure, number> = {
  errorShare: NaN,
  latencyP50Ms: NaN,
  latencyP99Ms: NaN,
  cpu: NaN,
  memory: NaN,
  out: NaN,
};
/** Figures that are forecast: a median says nothing that its 99th percentile does not, and being out is a fact. */
const FORESEEN: readonly Figure[] = ['errorShare', 'latencyP99Ms', 'cpu', 'memory'];
/** How often forecasts are asked for, and figures kept for them, ms. */
const LOOK_MS = 5_000;

interface Kept {
  readonly pulled: TargetHealth;
  readonly ahead: TargetHealth | undefined;
  readonly untilMs: number;
}

/** See the file's head. */
export class TargetHealths {
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly parts: TargetHealthParts) {}

  /** Forgets targets that are no more. */
  clear(): void {
    this.kept.clear();
  }

  /** @param told what Envoys tell of late; undefined where nobody is asked. */
  of(place: HealthPlace, told: TrafficSnapshot | undefined, nowMs: number): SeenHealth | undefined {
    const { cluster, endpoint } = place;
    const heard =
      told === undefined
        ? UNKNOWN
        : {
            ...UNKNOWN,
            ...targetHealthOf(told, endpoint === '' ? { cluster } : { cluster, host: endpoint }),
          };
    const key = `${place.group} ${place.id}`;
    let kept = this.kept.get(key);
    if (kept === undefined || nowMs >= kept.untilMs || nowMs < kept.untilMs - LOOK_MS) {
      kept = this.look(place, heard, nowMs);
      this.kept.set(key, kept);
    }
    const { pulled } = kept;
    const now = merged((figure) => (Number.isNaN(pulled[figure]) ? heard[figure] : pulled[figure]));
    return now === undefined ? undefined : { now, ahead: kept.ahead };
  }

  private look(place: HealthPlace, heard: TargetHealth, nowMs: number): Kept {
    const { history, names, put } = this.parts;
    const nameOf: Readonly<Partial<Record<Figure, string>>> = {
      errorShare: names.errors,
      latencyP99Ms: names.latency,
      cpu: names.cpu,
      memory: names.memory,
      out: names.out,
    };
    const pulledId = (figure: Figure): string | undefined => {
      const name = nameOf[figure] ?? '';
      return place.signals === '' || name === '' ? undefined : `signal:${place.signals}/${name}`;
    };
    const pulled = { ...UNKNOWN };
    const ahead = { ...UNKNOWN };
    for (const figure of FIGURES) {
      const id = pulledId(figure);
      if (id !== undefined) pulled[figure] = newestLevel(history, id, nowMs) ?? NaN;
      if (!FORESEEN.includes(figure)) continue;
      const toldId = `signal:${place.group}/${place.id}/${figure}`;
      if (id === undefined && Number.isFinite(heard[figure])) {
        const info: ClassInfo = { id: toldId, kind: 'signal', service: place.group };
        put({ classId: toldId, atMs: nowMs, value: heard[figure] }, info);
      }
      ahead[figure] = this.foreseen(id ?? toldId);
    }
    const known = merged((figure) => ahead[figure]);
    return { pulled, ahead: known, untilMs: nowMs + LOOK_MS };
  }

  /** The mean: the upper end of an interval would make a noisy target an ill one. */
  private foreseen(classId: string): number {
    try {
      const prediction = this.parts.predict(classId);
      // One that is not proven yet tells of the last minute what is over: a target that is well again would stay away.
      if (prediction === undefined || prediction.source === 'none' || !prediction.warm) return NaN;
      if (prediction.flags.includes('stale') || prediction.flags.includes('anomaly')) return NaN;
      return prediction.steps.at(-1)?.mean ?? NaN;
    } catch {
      // A class that is not known yet has no forecast.
      return NaN;
    }
  }
}

function merged(value: (figure: Figure) => number): TargetHealth | undefined {
  const health = { ...UNKNOWN };
  let known = false;
  for (const figure of FIGURES) {
    health[figure] = value(figure);
    known ||= Number.isFinite(health[figure]);
  }
  return known ? health : undefined;
}
