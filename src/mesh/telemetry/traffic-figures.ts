/** A window's figures: of each series, and of all that have a route, a cluster or a host in common. */
import type { TrafficFigures, TrafficSeries, TrafficSnapshot } from '../../core/traffic-telemetry';
import { TrafficTally } from './traffic-tally';
import type { TrafficWindow } from './traffic-window';

type Figures = Pick<TrafficSnapshot, 'coveredMs' | 'series' | 'routes' | 'clusters' | 'hosts' | 'other'>;

/** See the file's head. Series with an empty route, cluster or host are in no sum of those. */
export function trafficFigures(window: TrafficWindow): Figures {
  const coveredMs = window.coveredSeconds * 1_000;
  const series: TrafficSeries[] = [];
  const routes = new Sums<{ readonly route: string }>();
  const clusters = new Sums<{ readonly cluster: string }>();
  const hosts = new Sums<{ readonly cluster: string; readonly host: string }>();
  for (const { names, tally } of window.series()) {
    const { route, cluster, host } = names;
    series.push(tally.addFigures({ route, cluster, host }, coveredMs));
    if (route !== '') routes.add(route, { route }, tally);
    if (cluster !== '') clusters.add(cluster, { cluster }, tally);
    if (host !== '') hosts.add(`${cluster}\n${host}`, { cluster, host }, tally);
  }
  return {
    coveredMs,
    series,
    routes: routes.figures(coveredMs),
    clusters: clusters.figures(coveredMs),
    hosts: hosts.figures(coveredMs),
    other: window.other.addFigures({}, coveredMs),
  };
}

interface Sum<Names> {
  readonly names: Names;
  tally: TrafficTally;
  /** Whether the tally is that of the only series so far, as a host often has it. */
  borrowed: boolean;
}

class Sums<Names extends object> {
  readonly #sums = new Map<string, Sum<Names>>();

  add(key: string, names: Names, tally: TrafficTally): void {
    const sum = this.#sums.get(key);
    if (sum === undefined) {
      this.#sums.set(key, { names, tally, borrowed: true });
      return;
    }
    if (sum.borrowed) {
      const first = sum.tally;
      sum.tally = new TrafficTally();
      sum.tally.merge(first);
      sum.borrowed = false;
    }
    sum.tally.merge(tally);
  }

  figures(overMs: number): (Names & TrafficFigures)[] {
    return Array.from(this.#sums.values(), ({ names, tally }) => tally.addFigures(names, overMs));
  }
}
