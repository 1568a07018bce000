/** What the control path tells, as metrics. */
import { ForecastSeries } from './forecast-series';
import { MeshSeries } from './mesh-series';
import { PoolSeries } from './pool-series';

/** The newest figures of each part; nothing of a part that told none. */
export class ControlSeries {
  readonly forecasts = new ForecastSeries();
  readonly pools = new PoolSeries();
  readonly mesh = new MeshSeries();
  private readonly all = [this.forecasts, this.pools, this.mesh];

  metricNames(): string[] {
    return this.all.flatMap((series) => series.metricNames());
  }

  /** The lines of the text format. */
  async render(): Promise<string> {
    const parts: string[] = [];
    for (const series of this.all) parts.push(await series.render());
    return parts.join('');
  }
}
