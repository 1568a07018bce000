/** A real Redis Cluster of three masters and three replicas on loopback. */
import { eventually, RedisServer, type RedisServerOptions } from './redis-server';

const SLOTS = 16_384;
const MASTERS = 3;

/** What INFO and CLUSTER INFO answer, as a map. */
export function infoFields(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split('\r\n')
      .map((line) => line.split(':', 2))
      .filter((pair): pair is [string, string] => pair.length === 2),
  );
}

/** Six nodes, joined and in the state `ok`. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  /** Starts six nodes, joins them, and waits until every node sees the cluster whole and every replica is in sync. */
  static async start(options: RedisServerOptions = {}): Promise<RedisCluster> {
    const nodes = await Promise.all(
      Array.from({ length: MASTERS * 2 }, () => RedisServer.start({ ...options, cluster: true })),
    );
    const cluster = new RedisCluster(nodes);
    try {
      await cluster.#join();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get addresses(): string[] {
    return this.nodes.map((node) => node.address);
  }

  /** The node that serves a slot now, as `observer` sees it. */
  async masterOf(slot: number, observer: RedisServer = this.#live()): Promise<RedisServer> {
    const ranges = (await observer.admin.call('cluster', 'slots')) as [number, number, [string, number]][];
    const range = ranges.find(([from, to]) => slot >= from && slot <= to);
    const node = this.nodes.find((each) => each.port === range?.[2][1]);
    if (node === undefined) throw new Error(`no master for slot ${slot}`);
    return node;
  }

  /** The nodes that are masters of some slots, as `observer` sees them. */
  async masters(observer: RedisServer = this.#live()): Promise<RedisServer[]> {
    const ranges = (await observer.admin.call('cluster', 'slots')) as [number, number, [string, number]][];
    const ports = new Set(ranges.map((range) => range[2][1]));
    return this.nodes.filter((node) => ports.has(node.port));
  }

  /** Waits until every node of `nodes` sees all slots served and every replica of them in sync. */
  async whole(nodes: readonly RedisServer[] = this.nodes): Promise<void> {
    await eventually('the cluster is whole', async () => {
      for (const node of nodes) {
        const info = infoFields((await node.admin.call('cluster', 'info')) as string);
        if (info.get('cluster_state') !== 'ok' || info.get('cluster_slots_ok') !== `${SLOTS}`) return false;
        const replication = infoFields(await node.admin.info('replication'));
        if (replication.get('role') === 'slave' && replication.get('master_link_status') !== 'up')
          return false;
      }
      return true;
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  #live(): RedisServer {
    const [first] = this.nodes;
    if (first === undefined) throw new Error('the cluster has no nodes');
    return first;
  }

  async #join(): Promise<void> {
    const share = Math.ceil(SLOTS / MASTERS);
    await Promise.all(
      this.nodes.map(async (node, index) => {
        await node.admin.call('cluster', 'set-config-epoch', index + 1);
        if (index >= MASTERS) return;
        const last = Math.min(SLOTS, (index + 1) * share) - 1;
        await node.admin.call('cluster', 'addslotsrange', index * share, last);
      }),
    );
    for (const [index, node] of this.nodes.entries()) {
      for (const peer of this.nodes.slice(index + 1)) {
        await node.admin.call('cluster', 'meet', peer.host, peer.port, peer.busPort);
      }
    }
    const ids = await Promise.all(
      this.nodes.map(async (node) => (await node.admin.call('cluster', 'myid')) as string),
    );
    await eventually('every node knows every other', async () => {
      const views = await Promise.all(
        this.nodes.map(async (node) => (await node.admin.call('cluster', 'nodes')) as string),
      );
      return views.every((view) => !view.includes('handshake') && ids.every((id) => view.includes(id)));
    });
    await Promise.all(
      this.nodes
        .slice(MASTERS)
        .map((node, index) =>
          eventually(
            'the replica follows',
            async () => (await node.admin.call('cluster', 'replicate', ids[index] ?? '')) === 'OK',
          ),
        ),
    );
    await eventually('every replica is in the slot table', async () => {
      const tables = await Promise.all(
        this.nodes.map(async (node) => (await node.admin.call('cluster', 'slots')) as unknown[][]),
      );
      return tables.every((table) => table.length === MASTERS && table.every((range) => range.length >= 4));
    });
    await this.whole();
  }
}
