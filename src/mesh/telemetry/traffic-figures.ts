/** A window's figures: of each series, and of all that have a route, a cluster or a host in common. */
import type { TrafficSnapshot } from '../../core/traffic-telemetry';
import { TrafficTally } from './traffic-tally';
import type { TrafficWindow } from './traffic-window';

type Figures = Pick<TrafficSnapshot, 'coveredMs' | 'series' | 'routes' | 'clusters' | 'hosts' | 'other'>;

/** See the file's head. Series with an empty route, cluster or host are in no sum of those. */
export function trafficFigures(window: TrafficWindow): Figures {
  const coveredMs = window.coveredSeconds * 1_000;
  const series: Figures['series'][number][] = [];
  const routes = new Sums<{ readonly route: string }>();
  const clusters = new Sums<{ readonly cluster: string }>();
  const hosts = new Sums<{ readonly cluster: string; readonly host: string }>();
  for (const { names, tally } of window.series()) {
    const { route, cluster, host } = names;
    series.push({ ...names, ...tally.figures(coveredMs) });
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
    other: window.other.figures(coveredMs),
  };
}

class Sums<Names extends object> {
  readonly #sums = new Map<string, { readonly names: Names; readonly tally: TrafficTally }>();

  add(key: string, names: Names, tally: TrafficTally): void {
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      sum = { names, tally: new TrafficTally() };
      this.#sums.set(key, sum);
    }
    sum.tally.merge(tally);
  }

  figures(overMs: number): (Names & ReturnType<TrafficTally['figures']>)[] {
    return [...this.#sums.values()].map(({ names, tally }) => ({ ...names, ...tally.figures(overMs) }));
  }
}
