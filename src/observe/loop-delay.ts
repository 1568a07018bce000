/** By how long the event loop was late, over the time since it was asked last. */
import { monitorEventLoopDelay, performance, type IntervalHistogram } from 'node:perf_hooks';

/** How often it is looked at; 50 looks a second cost some 0.05 %. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1_000_000;

/** See the file's head. */
export class LoopDelay {
  private readonly histogram: IntervalHistogram;
  private first: NodeJS.Timeout | undefined;
  /** The histogram passes over the interval in which it is reset, where whoever asks may well be at work. */
  private firstDelayMs = NaN;

  constructor() {
    this.histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.histogram.enable();
    this.watchFirst();
  }

  /** The 99th percentile since the last call, ms; NaN when nothing was measured. */
  take(): number {
    const { count } = this.histogram;
    const sampledMs = count === 0 ? NaN : this.histogram.percentile(99) / NS_PER_MS - RESOLUTION_MS;
    const known = [sampledMs, this.firstDelayMs].filter((one) => !Number.isNaN(one));
    const worst = known.length === 0 ? NaN : Math.max(0, ...known);
    this.histogram.reset();
    this.watchFirst();
    return worst;
  }

  close(): void {
    this.histogram.disable();
    clearTimeout(this.first);
  }

  private watchFirst(): void {
    clearTimeout(this.first);
    this.firstDelayMs = NaN;
    const asked = performance.now();
    this.first = setTimeout(() => {
      this.firstDelayMs = performance.now() - asked - RESOLUTION_MS;
    }, RESOLUTION_MS);
    this.first.unref();
  }
}
