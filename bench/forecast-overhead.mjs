/**
 * What observing and forecasting cost the data path (or, with `--what pools`, what an active pool of all rules costs beside
 * forecasting): two Tidegates on one core, with it on (its history in a file) and off, loaded in turn in the same run. The control thread and history share the core with the decisions, which is the
 * worst there is. Each round gives a ratio; the median of rounds counts. Needs a build (`npm run build`), Linux and two
 * cores.
 *
 *   node bench/forecast-overhead.mjs [--rounds 7] [--seconds 4] [--rate 4000] [--keys zipf:1.1:10000] [--what pools]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeLimits } from './harness/limits.mjs';
import { measureLatency, measureThroughput } from './harness/measure.mjs';
import { killStarted } from './harness/processes.mjs';
import { startTidegate } from './harness/servers.mjs';
import { formatSpread, ratioOf, spreadOf } from './harness/statistics.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '4' },
    rate: { type: 'string', default: '4000' },
    keys: { type: 'string', default: 'zipf:1.1:10000' },
    what: { type: 'string', default: 'forecast' },
  },
});
/** What the project aims at: forecasting may cost this much more. */
const AIM = 1.05;
const options = {
  seconds: Number(values.seconds),
  ratePerS: Number(values.rate),
  connections: 4,
  streams: 25,
  cores: { server: 0, load: 1 },
};

const folder = mkdtempSync(join(tmpdir(), 'tidegate-overhead-'));
const surroundings = writeLimits(folder);
const forecasting = { TIDEGATE_FORECAST_ENABLED: 'true', TIDEGATE_HISTORY_PATH: join(folder, 'history.db') };
const pool = {
  TIDEGATE_POOLS_LIST: JSON.stringify([{ name: 'all', mode: 'active' }]),
  TIDEGATE_POOLS_MEMBERS: JSON.stringify([{ pool: 'all', match: '*' }]),
};
const envOf =
  values.what === 'pools'
    ? {
        on: { ...forecasting, ...pool },
        off: { ...forecasting, TIDEGATE_HISTORY_PATH: join(folder, 'other.db') },
      }
    : { on: forecasting, off: { TIDEGATE_FORECAST_ENABLED: 'false' } };
const names = ['on', 'off'];
const seen = { on: [], off: [] };

async function measureRounds(servers) {
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const { cpuPerMillionS } = await measureThroughput(servers[name], values.keys, options, []);
      const paced = await measureLatency(servers[name], values.keys, options, []);
      if (paced.failed > 0) throw new Error(`${name}: ${paced.failed} calls failed`);
      seen[name].push({
        full: cpuPerMillionS,
        paced: paced.cpuPerMillionS,
        p50: paced.latencyUs.p50,
        p99: paced.latencyUs.p99,
      });
    }
    console.log(
      `round ${round + 1}: ${names.map((name) => `${name} ${JSON.stringify(seen[name].at(-1))}`).join('  ')}`,
    );
  }
}

function report() {
  const figures = [
    ['full', 'CPU at full load, s per million calls', (figure) => figure.toFixed(1)],
    ['paced', `CPU at ${values.rate} calls/s, s per million calls`, (figure) => figure.toFixed(1)],
    ['p50', `p50 at ${values.rate} calls/s, us`, (figure) => figure.toFixed(0)],
    ['p99', `p99 at ${values.rate} calls/s, us`, (figure) => figure.toFixed(0)],
  ];
  for (const [figure, what, format] of figures) {
    const [on, off] = names.map((name) => seen[name].map((round) => round[figure]));
    const ratio = ratioOf(on, off);
    console.log(
      `${what}: on ${formatSpread(spreadOf(on), format)}, off ${formatSpread(spreadOf(off), format)}`,
    );
    console.log(
      `  ratio ${formatSpread(ratio, (one) => one.toFixed(3))}${figure === 'p50' ? '' : `, aim ${AIM}: ${ratio.median <= AIM ? 'kept' : 'MISSED'}`}`,
    );
  }
}

const servers = {};
try {
  for (const name of names) {
    servers[name] = await startTidegate(
      'memory',
      surroundings,
      { ...options, tidegateEnv: envOf[name] },
      folder,
      name,
    );
  }
  await measureRounds(servers);
  report();
} finally {
  for (const server of Object.values(servers)) await server.stop();
  killStarted();
  rmSync(folder, { recursive: true, force: true });
}
