/** What this host used and what it served meanwhile, between two looks. */
import { COUNTS, type HostSample, type ObservationBatch, type ResourceName } from '../../core/observation';

/** Requests a second by rule, and what was used. */
export interface UsedMeanwhile {
  readonly rates: ReadonlyMap<string, number>;
  /** NaN what is not known. */
  readonly use: Readonly<Record<ResourceName, number>>;
}

/** Rules that are counted apart meanwhile. */
const MAX_RULES = 1_000;

/** See the file's head. */
export class HostUse {
  private counts = new Map<string, number>();
  private samples: HostSample[] = [];
  private spanMs = 0;

  constructor(private readonly cores: number) {}

  /** Adds what a process of this host counted; the one that samples the load says how long it took. */
  add(batch: ObservationBatch, column: number, isRule: (id: string) => boolean): void {
    if (batch.host !== undefined) {
      this.samples.push(batch.host);
      this.spanMs += batch.stepMs;
    }
    batch.classes.forEach((id, row) => {
      if (!isRule(id) || (!this.counts.has(id) && this.counts.size >= MAX_RULES)) return;
      const count = batch.counts[row * COUNTS.length + column] ?? 0;
      this.counts.set(id, (this.counts.get(id) ?? 0) + count);
    });
  }

  /** All since the last look; undefined when the load was not sampled. */
  take(): UsedMeanwhile | undefined {
    const { counts, samples, spanMs, cores } = this;
    this.counts = new Map();
    this.samples = [];
    this.spanMs = 0;
    if (samples.length === 0) return undefined;
    const mean = (of: (sample: HostSample) => number): number =>
      samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
    return {
      rates: new Map([...counts].map(([id, count]) => [id, (1_000 * count) / spanMs])),
      use: {
        cpu: mean(({ cpu }) => cpu * cores),
        memory: mean(({ memory }) => memory),
        io: mean((sample) => sample.diskReadBytesPerS + sample.diskWriteBytesPerS),
        network: mean((sample) => sample.networkReceivedBytesPerS + sample.networkSentBytesPerS),
      },
    };
  }
}
