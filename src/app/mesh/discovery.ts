/** Discovery as the composition root sees it: services for the control port, fed from a folder of files. */
import type { Settings } from '../../config/settings-shape';
import { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';
import { SnapshotCache, snapshotOf } from '../../mesh/snapshot-cache';
import { XdsServices, type GrpcService, type MeshView } from '../../mesh/xds-services';
import { readResourceTexts, resourcesOf } from './resource-files';

/** All nodes get the same. */
const GROUP = 'all';

/** See the file's head. */
export class Discovery {
  private readonly cache = new SnapshotCache();
  private readonly services: XdsServices;
  private timer: NodeJS.Timeout | undefined;
  private loading = false;
  private lastText: string | undefined;

  constructor(
    private readonly settings: Settings['mesh'],
    private readonly logger: Logger,
    nowMs: () => number,
  ) {
    this.services = new XdsServices({ cache: this.cache, groupOf: () => GROUP, log: logger, nowMs });
  }

  /** What the control port serves; nothing where no folder is set. */
  grpcServices(): readonly GrpcService[] {
    return this.settings.path === '' ? [] : this.services.grpcServices();
  }

  /** Nodes with what was sent, accepted and refused. */
  view(): MeshView {
    return this.services.view();
  }

  /** Loads the folder and watches it. Rejects with a TidegateError when the first load has a mistake. */
  async start(): Promise<void> {
    if (this.settings.path === '') return;
    await this.load();
    this.timer = setInterval(() => void this.reload(), this.settings.pollIntervalMs).unref();
  }

  /** Ends all streams; Envoys keep what they have. */
  close(): void {
    clearInterval(this.timer);
    this.services.close();
  }

  private async load(): Promise<void> {
    const texts = await readResourceTexts(this.settings.path);
    const all = JSON.stringify(texts);
    if (all === this.lastText) return;
    // A mistake is told once, not at every look.
    this.lastText = all;
    const resources = resourcesOf(texts);
    const changes = this.cache.set(GROUP, snapshotOf(resources));
    this.logger.info({ resources: resources.length, changedTypes: changes.length }, 'resources loaded');
  }

  private async reload(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    try {
      await this.load();
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      this.logger.error({ error }, 'resources not reloaded; the old ones stay');
    } finally {
      this.loading = false;
    }
  }
}
