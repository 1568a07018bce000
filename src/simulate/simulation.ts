/**
 * Runs policies side by side through the test days of a scenario at one load: the same requests to each, every allocation set before
 * its interval's demand is seen (but to the oracle).
 */
import { ArrivalSource } from './arrivals';
import { crowdedService, minuteAt, partDemand, totalAt } from './demand';
import type { MinuteForecasters } from './forecasts';
import type { MinuteForecasts, PolicyKind } from './policy/policy';
import { PolicyRun, type PolicyOutcome } from './policy-run';

export type { PolicyOutcome } from './policy-run';
import { MINUTE_MS, partMinutes, type Scenario } from './scenario';

/** One load of a scenario, interval by interval. */
export class LoadSimulation {
  private readonly demand: readonly Float64Array[];
  private readonly source: ArrivalSource;
  private readonly runs: readonly PolicyRun[];
  private readonly intervalTicks: number;
  private readonly minuteTicks: number;
  private readonly ticks: number;
  private readonly arrivals: readonly Float64Array[];
  private readonly coming: Float64Array;
  private readonly minuteArrived: Float64Array;
  private forecasts: MinuteForecasts;
  private tick = 0;

  /** @param forecasters of this run alone. */
  constructor(
    private readonly scenario: Scenario,
    private readonly load: number,
    private readonly forecasters: MinuteForecasters,
    kinds: readonly PolicyKind[],
  ) {
    const { tickMs, intervalMs, services, seed } = scenario;
    this.demand = partDemand(scenario, 'test');
    // Loads differ in their draws; policies do not.
    this.source = new ArrivalSource(scenario.arrivals, (seed * 7_919 + Math.round(load * 1_000)) >>> 0);
    this.ticks = Math.floor((partMinutes(scenario, 'test') * MINUTE_MS) / tickMs);
    this.intervalTicks = Math.min(this.ticks, Math.round(intervalMs / tickMs));
    this.minuteTicks = Math.round(MINUTE_MS / tickMs);
    this.arrivals = Array.from({ length: this.intervalTicks }, () => new Float64Array(services.length));
    this.coming = new Float64Array(services.length);
    this.minuteArrived = new Float64Array(services.length);
    this.forecasts = forecasters.ahead(0);
    this.runs = kinds.map((kind) => new PolicyRun(kind, { scenario, load }, this.ticks, this.intervalTicks));
  }

  /** How far it has come, 0 to 1. */
  get part(): number {
    return this.tick / this.ticks;
  }

  /** Lets an interval pass. @returns whether there is another. */
  step(): boolean {
    const count = Math.min(this.intervalTicks, this.ticks - this.tick);
    this.draw(count);
    for (let at = 0; at < count; at += 1) this.passTick(at, count);
    for (const run of this.runs) run.endInterval();
    return this.tick < this.ticks;
  }

  outcomes(): readonly PolicyOutcome[] {
    return this.runs.map((run) => run.outcome());
  }

  private draw(count: number): void {
    const { tickMs, flash, services } = this.scenario;
    this.coming.fill(0);
    for (let at = 0; at < count; at += 1) {
      const atMs = (this.tick + at) * tickMs;
      const minute = minuteAt(atMs);
      const crowded = crowdedService(flash, atMs, services.length);
      const perTick = (this.load * tickMs) / 1_000;
      const arrivals = this.arrivals[at]!;
      for (let service = 0; service < arrivals.length; service += 1) {
        const factor = service === crowded ? (flash?.factor ?? 1) : 1;
        const came = this.source.take(this.demand[service]![minute]! * factor * perTick);
        arrivals[service] = came;
        this.coming[service]! += came;
      }
    }
  }

  private passTick(at: number, count: number): void {
    const { tickMs } = this.scenario;
    const atMs = this.tick * tickMs;
    const arrivals = this.arrivals[at]!;
    const totalPerS = totalAt(this.scenario, 'test', atMs);
    for (const run of this.runs) {
      run.pass({
        atMs,
        totalPerS,
        arrivals,
        intervalSeconds: (count * tickMs) / 1_000,
        beginsInterval: at === 0,
        coming: this.coming,
        forecasts: this.forecasts,
      });
    }
    for (let service = 0; service < arrivals.length; service += 1) {
      this.minuteArrived[service]! += arrivals[service]!;
    }
    this.tick += 1;
    if (this.tick % this.minuteTicks !== 0) return;
    this.forecasters.learn(this.minuteArrived);
    this.minuteArrived.fill(0);
    this.forecasts = this.forecasters.ahead(this.tick * tickMs);
  }
}
