/**
 * What a request of each rule costs, learned: from this host's load, where it is the service's, or from signals of the
 * service's instances. Rates of requests explain what is used; costs are per request, in what the load is measured in:
 * cores for the CPU, the used part for memory, bytes a second for disks and network, the unit of a signal.
 */
import type { Settings } from '../../config/settings-shape';
import { TidegateError } from '../../core/errors';
import type { ForecastAsks } from '../../core/forecast-desk';
import type { CostView } from '../../core/forecasts';
import {
  COUNTS,
  RESOURCES,
  type ClassInfo,
  type ObservationBatch,
  type ResourceName,
} from '../../core/observation';
import { Consumption } from '../../forecast/resource/consumption';
import type { History } from '../../history/history';
import { HostUse } from './host-use';
import { ServiceUse } from './service-use';

/** What it stands on. */
export interface LearnedCostsParts {
  readonly settings: Settings['forecast'];
  readonly history: Pick<History, 'classes' | 'series'>;
  /** Of this host. */
  readonly cores: number;
}

/** Rules whose costs are told apart, of the host or of one service. */
const MAX_RULES = 64;
/** Rules whose given costs are remembered. */
const MAX_GIVEN = 10_000;
/** What is learned is used from this confidence on. */
const SURE = 0.5;
/** Steps: ten seconds of the host, minutes of a service. */
const HOST = { memorySteps: 2_160, priorSteps: 6 };
const SERVICE = { memorySteps: 1_440, priorSteps: 5 };
const LEARN_EVERY_MS = 10_000;
const TELL_EVERY_MS = 60_000;

type Known = Readonly<{ cost: number; confidence: number }>;

/** See the file's head. */
export class LearnedCosts {
  private readonly given: Readonly<Record<ResourceName, Map<string, number>>>;
  private readonly rules = new Set<string>();
  private readonly host: HostUse | undefined;
  private readonly hostCosts: readonly (readonly [ResourceName, Consumption])[];
  private readonly services: readonly {
    readonly resource: ResourceName;
    readonly use: ServiceUse;
    readonly costs: Consumption;
  }[];
  private readonly known = new Map<string, Known>();
  private learnedMs = -Infinity;
  private toldMs = -Infinity;

  constructor(private readonly parts: LearnedCostsParts) {
    const { settings, history, cores } = parts;
    this.given = { cpu: new Map(), memory: new Map(), io: new Map(), network: new Map() };
    const costsOf = (resource: ResourceName, steps: typeof HOST): Consumption =>
      new Consumption({ classesMax: MAX_RULES, given: this.given[resource], ...steps });
    const byHost = settings.learnCosts === 'host';
    this.host = byHost ? new HostUse(cores) : undefined;
    this.hostCosts = byHost ? RESOURCES.map((name) => [name, costsOf(name, HOST)] as const) : [];
    const signals = settings.learnCosts === 'signals' ? settings.costSignals : [];
    this.services = signals.map(({ service, resource, signal }) => ({
      resource,
      use: new ServiceUse(history, service, signal),
      costs: costsOf(resource, SERVICE),
    }));
  }

  /** Takes note of rules, and of what the settings say of their costs. */
  note(added: readonly ClassInfo[]): void {
    for (const { id, kind, cost } of added) {
      if (kind !== 'rule' || (!this.rules.has(id) && this.rules.size >= MAX_GIVEN)) continue;
      this.rules.add(id);
      if (cost !== undefined) for (const name of RESOURCES) this.given[name].set(id, cost[name]);
    }
  }

  /** Takes what a process of this host counted. */
  observe(batch: ObservationBatch): void {
    this.host?.add(batch, COUNTS.indexOf('admitted'), (id) => this.rules.has(id));
  }

  /** Learns what is due. @param nowMs all that came until then is in history. */
  turn(nowMs: number): void {
    if (Math.abs(nowMs - this.learnedMs) < LEARN_EVERY_MS) return;
    this.learnedMs = nowMs;
    const host = this.host?.take();
    if (host !== undefined) {
      for (const [name, costs] of this.hostCosts) costs.observe(host.rates, host.use[name]);
    }
    for (const { use, costs } of this.services) {
      for (const { rates, used } of use.until(nowMs)) costs.observe(rates, used);
    }
    if (Math.abs(nowMs - this.toldMs) < TELL_EVERY_MS) return;
    this.toldMs = nowMs;
    this.learn();
  }

  /** What a request costs as it was learned; undefined where that is not sure enough. */
  readonly cost = (classId: string, resource: ResourceName): number | undefined => {
    const known = this.known.get(`${resource} ${classId}`);
    return known !== undefined && known.confidence >= SURE ? known.cost : undefined;
  };

  /** The costs of rules, as the settings give them and as they were learned. */
  page({ classId, offset, limit }: ForecastAsks['costs']['ask']): ForecastAsks['costs']['answer'] {
    if (classId !== undefined && !this.rules.has(classId))
      throw new TidegateError('TG_FORECAST_UNKNOWN_CLASS', `there is no rule ${classId.slice(0, 200)}`);
    const ids = classId === undefined ? [...this.rules].sort() : [classId];
    const costs = ids
      .slice(offset, offset + limit)
      .flatMap((id) => RESOURCES.map((resource) => this.view(id, resource)));
    return { total: ids.length, learnedFrom: this.parts.settings.learnCosts, costs };
  }

  private view(classId: string, resource: ResourceName): CostView {
    const set = this.given[resource].get(classId) ?? null;
    const known = this.known.get(`${resource} ${classId}`);
    return {
      classId,
      resource,
      set,
      learned: known?.cost ?? null,
      confidence: known?.confidence ?? null,
      perRequest: this.cost(classId, resource) ?? set ?? 0,
    };
  }

  private learn(): void {
    this.known.clear();
    const all = [
      ...this.hostCosts.map(([resource, costs]) => ({ resource, costs })),
      ...this.services.map(({ resource, costs }) => ({ resource, costs })),
    ];
    for (const { resource, costs } of all) {
      for (const [id, known] of costs.all()) this.known.set(`${resource} ${id}`, known);
    }
  }
}
