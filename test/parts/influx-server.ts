/** A real InfluxDB (version 1) on a free port, with one database. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child';
import { freePort } from './free-port';
import { until } from './until';

/** An InfluxDB that runs. */
export interface InfluxServer {
  readonly url: string;
  readonly database: string;
  stop(): Promise<void>;
}

/** Starts InfluxDB and waits until its database is there. */
export async function startInflux(): Promise<InfluxServer> {
  const directory = await mkdtemp(join(tmpdir(), 'tidegate-influx-'));
  const address = `127.0.0.1:${await freePort()}`;
  const config = [
    'reporting-disabled = true',
    `bind-address = "127.0.0.1:${await freePort()}"`,
    `[meta]\ndir = "${join(directory, 'meta')}"`,
    `[data]\ndir = "${join(directory, 'data')}"\nwal-dir = "${join(directory, 'wal')}"`,
    `[http]\nbind-address = "${address}"\nlog-enabled = false`,
    '[monitor]\nstore-enabled = false',
  ].join('\n');
  await writeFile(join(directory, 'influx.conf'), config);
  const child = startChild('influxd', ['-config', join(directory, 'influx.conf')]);
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const url = `http://${address}`;
  try {
    await until('InfluxDB is ready', async () => (await fetch(`${url}/ping`)).status === 204);
    const created = await fetch(`${url}/query`, {
      method: 'POST',
      body: new URLSearchParams({ q: 'CREATE DATABASE "tide gate"' }),
    });
    if (!created.ok) throw new Error(await created.text());
  } catch (thrown) {
    await stop();
    throw new Error(child.output(), { cause: thrown });
  }
  return { url, database: 'tide gate', stop };
}
