/** What Envoys should have: the user's folder, group of nodes by group of nodes, with weights put in. */
import type { Settings } from '../../config/settings-shape';
import { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';
import { nodeGrouping, type NodeRule } from '../../mesh/node-groups';
import { SnapshotCache, snapshotOf } from '../../mesh/snapshot-cache';
import type { RequestOutcome } from '../../mesh/stream-state';
import { WeightedResources, type GroupShares } from '../../mesh/weights/weighted-resources';
import { XdsServices, type GrpcService, type MeshView } from '../../mesh/xds-services';
import { readResourceTexts, resourcesOf, type ResourceTexts } from './resource-files';

/** The group of nodes that fit no row of the settings. */
export const ALL_NODES = 'all';

/** Counted since the start. */
export interface DiscoveryCounts {
  accepted: number;
  refused: number;
  pushes: number;
}

/** See the file's head. */
export class Discovery {
  readonly counts: DiscoveryCounts = { accepted: 0, refused: 0, pushes: 0 };
  private readonly cache = new SnapshotCache();
  private readonly services: XdsServices;
  private readonly groups: readonly string[];
  private weighted = new Map<string, WeightedResources>();
  private timer: NodeJS.Timeout | undefined;
  private loading = false;
  private lastText: string | undefined;
  private lastFault = '';
  private held: boolean;
  private onLoaded: () => ReadonlyMap<string, GroupShares> = () => new Map();

  constructor(
    private readonly settings: Settings['mesh'],
    private readonly logger: Logger,
    nowMs: () => number,
  ) {
    this.held = settings.traffic.mode === 'active' && settings.targets.length > 0;
    this.groups = [...new Set(settings.nodes.map(({ group }) => group))];
    this.services = new XdsServices({
      cache: this.cache,
      groupOf: nodeGrouping(settings.nodes.map(ruleOf), ALL_NODES),
      holding: () => this.held,
      log: logger,
      nowMs,
      events: { answered: (_typeUrl, outcome) => this.count(outcome) },
    });
  }

  /** What the control port serves; nothing where no folder is set. */
  grpcServices(): readonly GrpcService[] {
    return this.settings.path === '' ? [] : this.services.grpcServices();
  }

  /** Nodes with what was sent, accepted and refused. */
  view(): MeshView {
    return this.services.view();
  }

  /** The resources of each group of nodes. */
  get resources(): ReadonlyMap<string, WeightedResources> {
    return this.weighted;
  }

  /**
   * Whether Envoys that had resources when they connected keep them as they are: from the start until weights are known, so that
   * whoever was relieved before a restart is not given everything back for the time that it takes to find out.
   */
  get holding(): boolean {
    return this.held;
  }

  /** Weights are known, or will not be: every Envoy gets what is in force. */
  release(): void {
    this.held = false;
  }

  /**
   * Loads the folder and watches it.
   * @param onLoaded told when there are other resources; it gives the shares that are put into them, by group of nodes.
   * Rejects with a TidegateError when the first load has a mistake, unless `lenient`.
   */
  async start(onLoaded: () => ReadonlyMap<string, GroupShares>, lenient: boolean): Promise<void> {
    this.onLoaded = onLoaded;
    if (this.settings.path === '') return;
    if (lenient) await this.reload();
    else await this.load();
    this.timer = setInterval(() => void this.reload(), this.settings.pollIntervalMs).unref();
  }

  /** Puts shares in force for a group of nodes; groups that are not named have their configured weights. */
  apply(nodes: string, shares: GroupShares): void {
    const weighted = this.weighted.get(nodes);
    if (weighted === undefined) return;
    const { resources } = weighted.apply(shares);
    if (this.cache.set(nodes, snapshotOf(resources)).length > 0) this.counts.pushes += 1;
  }

  /** Ends all streams; Envoys keep what they have. */
  close(): void {
    clearInterval(this.timer);
    this.services.close();
  }

  private async load(): Promise<void> {
    const texts = await readResourceTexts(this.settings.path, this.groups);
    const all = JSON.stringify([...texts]);
    if (all === this.lastText) return;
    // A mistake is told once, not at every look.
    this.lastText = all;
    const next = this.weightedOf(texts);
    if ([...texts.values()].every((files) => files.length === 0)) this.refuseEmpty();
    // All or nothing: what cannot be served for one group of nodes is served for none.
    for (const [nodes, weighted] of next)
      this.cache.check(nodes, snapshotOf(weighted.apply(new Map()).resources));
    this.weighted = next;
    const shares = this.onLoaded();
    for (const nodes of next.keys()) this.apply(nodes, shares.get(nodes) ?? new Map());
    const [first] = next.values();
    this.logger.info({ groups: next.size, resources: first?.size ?? 0 }, 'resources loaded');
    for (const warning of new Set([...next.values()].flatMap((one) => one.warnings())))
      this.logger.warn({ warning }, 'something of `mesh` in the settings means nothing to the resources');
  }

  /** Files that are all gone are a mishap more often than a wish, and would take every listener from every Envoy. */
  private refuseEmpty(): void {
    if (![...this.weighted.values()].some(({ size }) => size > 0)) return;
    throw new TidegateError(
      'TG_MESH_FILES',
      'all files are gone; to serve nothing, leave one with `resources: []`',
      {
        at: { file: this.settings.path, key: 'mesh.path' },
      },
    );
  }

  private weightedOf(texts: ResourceTexts): Map<string, WeightedResources> {
    const { targets, classes, traffic } = this.settings;
    const made = [ALL_NODES, ...this.groups].map((nodes) => {
      const resources = new WeightedResources({
        resources: resourcesOf(texts, nodes === ALL_NODES ? undefined : nodes),
        targets,
        classes,
        runtimeLayer: traffic.runtimeLayer,
        runtimeTtlMs: traffic.runtimeLifeMs,
      });
      return [nodes, resources] as const;
    });
    return new Map(made);
  }

  private async reload(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    try {
      await this.load();
      this.lastFault = '';
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      // Told once, not at every look.
      if (error.message !== this.lastFault)
        this.logger.error({ error }, 'resources not reloaded; the old ones stay');
      this.lastFault = error.message;
    } finally {
      this.loading = false;
    }
  }

  private count(outcome: RequestOutcome): void {
    if (outcome.kind === 'acked') this.counts.accepted += 1;
    if (outcome.kind === 'nacked') this.counts.refused += 1;
  }
}

function ruleOf({ group, id, cluster, metadata }: Settings['mesh']['nodes'][number]): NodeRule {
  const pairs = metadata.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return {
    group,
    ...(id === '' ? {} : { id }),
    ...(cluster === '' ? {} : { cluster }),
    metadata: Object.fromEntries(pairs),
  };
}
