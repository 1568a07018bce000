/** Real Envoy on loopback, on ports that the kernel chooses, from a config of envoy/. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EnvoyConfig } from '../../scripts/parts/envoy-config.cjs';
import { startChild, type Child } from './child';
import { partPath } from './paths';
import { until } from './until';

/** An Envoy that is LIVE: its clusters were health-checked and its listeners accept. */
export interface RunningEnvoy {
  readonly child: Child;
  /** `http://127.0.0.1:port` of a listener. Throws when there is none of that name. */
  url(listener: string): string;
  /** The text of an admin page, such as `/stats?filter=ratelimit`. */
  admin(page: string): Promise<string>;
  /** The value of one counter or gauge; 0 when Envoy has not made it yet. */
  stat(name: string): Promise<number>;
  stop(): Promise<void>;
}

interface ListenerList {
  readonly listener_statuses: readonly {
    readonly name: string;
    readonly local_address: { readonly socket_address: { readonly port_value: number } };
  }[];
}

/** Checks a config with Envoy itself. Returns Envoy's output; rejects with it when the config is refused. */
export async function validateEnvoyConfig(file: string): Promise<string> {
  const child = startChild(partPath('envoy'), ['--mode', 'validate', '--config-path', file, ...QUIET]);
  const exit = await child.exited;
  if (exit !== 0) throw new Error(`Envoy refuses ${file} (${exit}):\n${child.output()}`);
  return child.output();
}

const QUIET = ['--log-level', 'warning', '--disable-hot-restart', '--concurrency', '1'];

/** Starts Envoy and waits until it is LIVE. Give its listeners and admin the port 0 beforehand. */
export async function startEnvoy(config: EnvoyConfig): Promise<RunningEnvoy> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-envoy-'));
  const configFile = path.join(folder, 'envoy.yaml');
  const adminFile = path.join(folder, 'admin');
  await writeFile(configFile, JSON.stringify(config));
  const files = ['--config-path', configFile, '--admin-address-path', adminFile];
  const child = startChild(partPath('envoy'), [...files, ...QUIET]);
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const adminUrl = await adminAddress(child, adminFile);
    await untilLive(child, adminUrl);
    const listeners = (await (await fetch(`${adminUrl}/listeners?format=json`)).json()) as ListenerList;
    return running(child, adminUrl, listeners, stop);
  } catch (failure) {
    await stop();
    throw new Error(`Envoy did not start:\n${child.output()}`, { cause: failure });
  }
}

async function adminAddress(child: Child, file: string): Promise<string> {
  return untilUnlessEnded(child, 'the admin address', async () => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return text === '' ? undefined : `http://${text.trim()}`;
  });
}

async function untilLive(child: Child, adminUrl: string): Promise<void> {
  await untilUnlessEnded(child, 'Envoy is LIVE', async () => (await fetch(`${adminUrl}/ready`)).ok);
}

/** Waits for a condition, but not for a process that has ended. */
async function untilUnlessEnded<T>(
  child: Child,
  what: string,
  check: () => Promise<T | undefined | false>,
): Promise<T> {
  const ended = child.exited.then((exit): never => {
    throw new Error(`ended with ${exit} before: ${what}`);
  });
  return Promise.race([until(what, check), ended]);
}

function running(
  child: Child,
  adminUrl: string,
  listeners: ListenerList,
  stop: () => Promise<void>,
): RunningEnvoy {
  const admin = async (page: string): Promise<string> => (await fetch(`${adminUrl}${page}`)).text();
  return {
    child,
    admin,
    stop,
    url: (name) => {
      const found = listeners.listener_statuses.find((listener) => listener.name === name);
      if (found === undefined) throw new Error(`Envoy has no listener named ${name}`);
      return `http://127.0.0.1:${found.local_address.socket_address.port_value}`;
    },
    stat: async (name) => {
      const text = await admin(`/stats?filter=${encodeURIComponent(`^${name}$`)}`);
      return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
    },
  };
}
