/** A primary, a replica and Sentinels watching them, on loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Redis from 'ioredis';
import { infoFields } from './redis-cluster';
import { freePort } from './free-port';
import { eventually, RedisServer } from './redis-server';

interface SentinelProcess {
  readonly port: number;
  readonly child: ChildProcess;
  readonly admin: Redis;
}

/** The group's name, as Sentinel knows it. */
export const SENTINEL_GROUP = 'limits';

/** One primary, one replica, and their Sentinels. */
export class SentinelGroup {
  private constructor(
    readonly primary: RedisServer,
    readonly replica: RedisServer,
    private readonly sentinels: readonly SentinelProcess[],
    private readonly dir: string,
  ) {}

  /** Starts the group and waits until every Sentinel knows the replica and the other Sentinels. */
  static async start(sentinelCount = 3): Promise<SentinelGroup> {
    const primary = await RedisServer.start();
    const replica = await RedisServer.start({ settings: [['replicaof', primary.host, `${primary.port}`]] });
    const dir = await mkdtemp(path.join(tmpdir(), 'tidegate-sentinel-'));
    await eventually('the replica is in sync', async () => {
      const info = infoFields(await replica.admin.info('replication'));
      return info.get('master_link_status') === 'up';
    });
    const quorum = Math.floor(sentinelCount / 2) + 1;
    const sentinels = await Promise.all(
      Array.from({ length: sentinelCount }, () => startSentinel(dir, primary, quorum)),
    );
    const group = new SentinelGroup(primary, replica, sentinels, dir);
    await eventually('the Sentinels know each other', async () => {
      const views = await Promise.all(sentinels.map(({ admin }) => masterView(admin)));
      return views.every(
        (view) =>
          view.get('num-slaves') === '1' && view.get('num-other-sentinels') === `${sentinelCount - 1}`,
      );
    });
    return group;
  }

  get addresses(): string[] {
    return this.sentinels.map(({ port }) => `127.0.0.1:${port}`);
  }

  /** The port of the primary, as the first Sentinel sees it. */
  async primaryPort(): Promise<number> {
    const view = await masterView(this.sentinels[0]?.admin);
    return Number(view.get('port'));
  }

  async stop(): Promise<void> {
    for (const { child, admin } of this.sentinels) {
      admin.disconnect();
      child.kill('SIGKILL');
    }
    await Promise.all([this.primary.stop(), this.replica.stop()]);
    await rm(this.dir, { recursive: true, force: true });
  }
}

async function startSentinel(dir: string, primary: RedisServer, quorum: number): Promise<SentinelProcess> {
  const port = await freePort();
  const file = path.join(dir, `sentinel-${port}.conf`);
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    'loglevel warning',
    `logfile ${path.join(dir, `sentinel-${port}.log`)}`,
    `sentinel monitor ${SENTINEL_GROUP} ${primary.host} ${primary.port} ${quorum}`,
    `sentinel down-after-milliseconds ${SENTINEL_GROUP} 500`,
    `sentinel failover-timeout ${SENTINEL_GROUP} 3000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  const admin = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    enableReadyCheck: false,
    disconnectTimeout: 100,
  });
  admin.on('error', () => undefined);
  await eventually(`sentinel on ${port}`, async () => (await admin.ping()) === 'PONG');
  return { port, child, admin };
}

/** SENTINEL MASTER's answer as a map. */
async function masterView(admin: Redis | undefined): Promise<ReadonlyMap<string, string>> {
  const reply = (await admin?.call('sentinel', 'master', SENTINEL_GROUP)) as
    string[] | Record<string, string> | undefined;
  if (reply === undefined) return new Map();
  if (!Array.isArray(reply)) return new Map(Object.entries(reply));
  const view = new Map<string, string>();
  for (let at = 0; at + 1 < reply.length; at += 2) view.set(reply[at] ?? '', reply[at + 1] ?? '');
  return view;
}
