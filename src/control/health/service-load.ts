/** One service's figures, and how much of its load each says that it stands. */
import type { ServiceHealth } from '../../core/control';
import { type GradientFigures, LatencyGradient } from './latency-gradient';
import { type BackoffFigures, LoadBackoff } from './load-backoff';

const CPU = 0.85;
const MEMORY = 0.9;
const ERROR_SHARE = 0.1;
/** A share told as a little over 1 is 1 (a sampled CPU); more than that is no share. */
const MOST_SHARE = 1.1;
/** How long a figure that is told no more holds, ms. */
const STALE_AFTER_MS = 30_000;

/** What one figure says. */
export interface LoadWitness {
  /** 0 to 1. */
  readonly share: number;
  /** In words, with figures. */
  readonly why: string;
}

/** What is known of a service: its name, and the figures of response time, CPU, memory and errors. */
export type SavedLoad = readonly [
  string,
  ...GradientFigures,
  ...BackoffFigures,
  ...BackoffFigures,
  ...BackoffFigures,
];
/** Figures of a {@link SavedLoad}. */
const SAVED_FIGURES = 10;

/** Whether something that was read is a {@link SavedLoad}. */
export function isSavedLoad(row: unknown): row is SavedLoad {
  if (!Array.isArray(row) || row.length !== SAVED_FIGURES + 1 || typeof row[0] !== 'string') return false;
  return row.slice(1).every((figure) => Number.isFinite(figure));
}

const MEASURES = ['latencyMs', 'cpu', 'memory', 'errorShare'] as const;
type Measure = (typeof MEASURES)[number];

/** A figure that is NaN or impossible changes nothing; one not told for half a minute is let go, gradually. */
export class ServiceLoad {
  readonly #service: string;
  readonly #latency: LatencyGradient;
  readonly #shares: Readonly<Record<Exclude<Measure, 'latencyMs'>, LoadBackoff>>;
  readonly #toldMs: Record<Measure, number>;

  constructor(service: string, floor: number, elapsedMs: number) {
    this.#service = service;
    this.#latency = new LatencyGradient(floor);
    this.#shares = {
      cpu: new LoadBackoff(CPU, floor),
      memory: new LoadBackoff(MEMORY, floor),
      errorShare: new LoadBackoff(ERROR_SHARE, floor),
    };
    this.#toldMs = { latencyMs: elapsedMs, cpu: elapsedMs, memory: elapsedMs, errorShare: elapsedMs };
  }

  /** @param elapsedMs on a clock that never steps back. @param passedMs since the last look. */
  look(health: ServiceHealth | undefined, elapsedMs: number, passedMs: number): void {
    for (const measure of MEASURES) {
      const part = measure === 'latencyMs' ? this.#latency : this.#shares[measure];
      const figure = health === undefined ? Number.NaN : usable(measure, health[measure]);
      if (!Number.isNaN(figure)) {
        part.look(figure, passedMs);
        this.#toldMs[measure] = elapsedMs;
      } else if (elapsedMs - this.#toldMs[measure] > STALE_AFTER_MS) part.recover(passedMs);
    }
  }

  /** Whether nothing is known of it any more, so that it can be forgotten. */
  forgotten(elapsedMs: number): boolean {
    return MEASURES.every(
      (measure) => elapsedMs - this.#toldMs[measure] > STALE_AFTER_MS && this.#part(measure).share === 1,
    );
  }

  /** What it knows, for {@link restore}. */
  save(): SavedLoad {
    const { cpu, memory, errorShare } = this.#shares;
    return [this.#service, ...this.#latency.save(), ...cpu.save(), ...memory.save(), ...errorShare.save()];
  }

  /** Takes what another knew. */
  restore(saved: SavedLoad): void {
    const [, looks, longMs, shortMs, share, cpuShare, cpu, memoryShare, memory, errorsShare, errors] = saved;
    this.#latency.restore([looks, longMs, shortMs, share]);
    this.#shares.cpu.restore([cpuShare, cpu]);
    this.#shares.memory.restore([memoryShare, memory]);
    this.#shares.errorShare.restore([errorsShare, errors]);
  }

  /** Tells of each figure that stands for less than all of the load. */
  witnesses(tell: (witness: LoadWitness) => void): void {
    for (const measure of MEASURES) {
      const { share } = this.#part(measure);
      if (share < 1) tell({ share, why: `${this.#service}: ${this.#words(measure)}` });
    }
  }

  #part(measure: Measure): LatencyGradient | LoadBackoff {
    return measure === 'latencyMs' ? this.#latency : this.#shares[measure];
  }

  #words(measure: Measure): string {
    if (measure === 'latencyMs') {
      const { shortMs, longMs } = this.#latency;
      return `response time ${shortMs.toPrecision(3)} ms, over the long term ${longMs.toPrecision(3)} ms`;
    }
    const { figure, threshold } = this.#shares[measure];
    const name = { cpu: 'CPU', memory: 'memory', errorShare: 'errors' }[measure];
    const side = figure > threshold ? 'over' : 'recovering, threshold';
    return `${name} ${percent(figure)}, ${side} ${percent(threshold)}`;
  }
}

/** The figure, or NaN when it cannot be. */
function usable(measure: Measure, figure: number): number {
  if (!Number.isFinite(figure) || figure < 0) return Number.NaN;
  if (measure === 'latencyMs') return figure;
  return figure > MOST_SHARE ? Number.NaN : Math.min(1, figure);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1).replace(/\.0$/, '')} %`;
}
