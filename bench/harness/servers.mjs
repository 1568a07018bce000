/** The servers of one case: Tidegate and the peers, each started (where it is to be), ready, and shown to limit. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection, OUTCOME } from '../load/connection.mjs';
import { DOMAIN, requestFor } from '../load/keys.mjs';
import { encodeRequest } from '../load/rls-message.mjs';
import { PROBE_KEY, PROBE_LIMIT } from './limits.mjs';
import { freePorts, splitCommand, startPinned, until } from './processes.mjs';

/** How Tidegate is called in the tables. */
export const TIDEGATE = 'tidegate';

const READY_MS = 30_000;
const CALL_MS = 2_000;
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/**
 * @typedef {{ name: string, address: string, pids: number[], stop: () => Promise<void> }} RunningServer
 * @typedef {{ redis?: string, cluster?: string, root: string, limits: string, limitador: string }} Surroundings
 */

/**
 * Starts Tidegate's built program for a case.
 * @param {string} name what it is called in the tables
 * @returns {Promise<RunningServer>}
 */
export async function startTidegate(kind, surroundings, options, folder, name = TIDEGATE) {
  const [port] = await freePorts(1);
  const stores = { memory: {}, redis: { URLS: surroundings.redis }, cluster: { URLS: surroundings.cluster } };
  const env = {
    TIDEGATE_DATA_PORT: String(port),
    TIDEGATE_ADMIN_PORT: '0',
    TIDEGATE_CONTROL_PORT: '0',
    TIDEGATE_STORE_KIND: kind,
    TIDEGATE_CONSISTENCY: 'exact',
    TIDEGATE_ON_ERROR: 'error',
    TIDEGATE_STORE_DEADLINE: '1s',
    TIDEGATE_LOG_LEVEL: 'warn',
    TIDEGATE_HISTORY_PATH: 'none',
    ...(stores[kind].URLS === undefined ? {} : { TIDEGATE_STORE_URLS: stores[kind].URLS }),
    ...options.tidegateEnv,
  };
  const argv = [
    process.execPath,
    join(REPOSITORY, 'dist', 'main.js'),
    'serve',
    '--limits',
    surroundings.limits,
  ];
  const logFile = join(folder, `${name}-${kind}.log`);
  return started(name, `127.0.0.1:${port}`, startPinned({ core: options.cores.server, argv, env, logFile }));
}

/**
 * Starts a peer by its command, or takes the one that runs at an address.
 * @returns {Promise<RunningServer>}
 */
export async function startPeer(peer, surroundings, options, folder) {
  if (peer.address !== undefined) {
    const pids = peer.pid === undefined ? [] : [Number(peer.pid)];
    return { name: peer.name, address: peer.address, pids, stop: async () => {} };
  }
  const ports = await freePorts(4);
  const known = {
    port: ports[0],
    port2: ports[1],
    port3: ports[2],
    port4: ports[3],
    ...surroundings,
  };
  const argv = splitCommand(peer.command).map((word) =>
    word.replaceAll(/\{(\w+)\}/g, (whole, name) => {
      if (known[name] === undefined) throw new Error(`--peer-cmd ${peer.name}: nothing is known as ${whole}`);
      return String(known[name]);
    }),
  );
  const logFile = join(folder, `${peer.name}.log`);
  const child = startPinned({ core: options.cores.server, argv, cwd: folder, logFile });
  return started(peer.name, `127.0.0.1:${ports[0]}`, child);
}

async function started(name, address, child) {
  try {
    await until(
      async () => {
        if (child.exited()) throw new Error(`${name} ended at its start: ${child.log()}`);
        return (await answer(address, requestFor(0))) === OUTCOME.OK;
      },
      READY_MS,
      () => `${name} did not answer OK within ${READY_MS / 1_000} s: ${child.log()}`,
    );
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { name, address, pids: [child.pid], stop: child.stop };
}

/**
 * Asks for a rule of {@link PROBE_LIMIT} an hour four times as often as it admits.
 * @returns {Promise<boolean>} whether the server denied what it had to
 */
export async function showsThatItLimits(server) {
  const request = encodeRequest(DOMAIN, [[[PROBE_KEY, `run-${process.pid}-${Date.now()}`]]]);
  let admitted = 0;
  for (let call = 0; call < PROBE_LIMIT * 4; call += 1) {
    if ((await answer(server.address, request)) === OUTCOME.OK) admitted += 1;
  }
  return admitted >= PROBE_LIMIT && admitted <= PROBE_LIMIT * 2;
}

async function answer(address, request) {
  const colon = address.lastIndexOf(':');
  let tell = () => {};
  const told = new Promise((resolve) => {
    tell = resolve;
  });
  const connection = new Connection(address.slice(0, colon), Number(address.slice(colon + 1)), (_, outcome) =>
    tell(outcome),
  );
  const timer = setTimeout(() => tell(OUTCOME.FAILED), CALL_MS);
  try {
    await Promise.race([connection.ready(), told]);
    connection.call(request, 0);
    connection.flush();
    return await told;
  } catch {
    return OUTCOME.FAILED;
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}
