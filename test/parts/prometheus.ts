/** A real Prometheus on a free port, that scrapes what a test serves. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port';
import { startChild } from './child';
import { until } from './until';

/** A Prometheus that runs. */
export interface PrometheusServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** What is scraped: the text a test sets. */
export interface Exposition {
  readonly address: string;
  text: string;
  close(): Promise<void>;
}

/** Serves a text in the exposition format on a free port. */
export async function startExposition(): Promise<Exposition> {
  const exposition = { address: '', text: '', close: () => closed(server) };
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(exposition.text);
  });
  exposition.address = `127.0.0.1:${await listening(server)}`;
  return exposition;
}

/**
 * Starts Prometheus, scraping these addresses twice a second, and waits until it is ready.
 * @param past figures from before, in the OpenMetrics format.
 */
export async function startPrometheus(targets: readonly string[], past?: string): Promise<PrometheusServer> {
  const directory = await mkdtemp(join(tmpdir(), 'tidegate-prometheus-'));
  const config = {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
    scrape_configs: [{ job_name: 'test', static_configs: [{ targets }] }],
  };
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(config));
  if (past !== undefined) {
    const file = join(directory, 'past.txt');
    await writeFile(file, past);
    const tool = startChild('promtool', [
      'tsdb',
      'create-blocks-from',
      'openmetrics',
      file,
      join(directory, 'data'),
    ]);
    if ((await tool.exited) !== 0) throw new Error(tool.output());
  }
  const address = `127.0.0.1:${await freePort()}`;
  const child = startChild('prometheus', [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${address}`,
    '--storage.tsdb.retention.time=100y',
  ]);
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const url = `http://${address}`;
  try {
    await until('Prometheus is ready', async () => (await fetch(`${url}/-/ready`)).ok);
  } catch (thrown) {
    await stop();
    throw new Error(child.output(), { cause: thrown });
  }
  return { url, stop };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
