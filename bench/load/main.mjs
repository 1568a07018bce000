/**
 * The load client: loads one RateLimitService and prints one line of JSON.
 *
 *   node bench/load/main.mjs --target 127.0.0.1:8081 [--keys hot|uniform:N|zipf:S:N] [--connections 4]
 *     [--warmup-s 0.5] [--duration-s 3] (--streams 25 | --rate 4000)
 *
 * `--streams` keeps that many calls going on each connection (closed loop), `--rate` starts that many a second (open
 * loop). Exits with 1 when a call failed or was lost (what does not answer must not look fast), with 2
 * when the load could not begin.
 */
import { parseArgs } from 'node:util';
import { planKeys } from './keys.mjs';
import { closedLoop, openLoop } from './loops.mjs';

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    keys: { type: 'string', default: 'hot' },
    connections: { type: 'string', default: '4' },
    streams: { type: 'string', default: '25' },
    rate: { type: 'string' },
    'warmup-s': { type: 'string', default: '0.5' },
    'duration-s': { type: 'string', default: '3' },
  },
});

async function main() {
  const colon = values.target?.lastIndexOf(':') ?? -1;
  if (colon < 1) throw new Error('--target HOST:PORT is needed');
  const options = {
    host: values.target.slice(0, colon),
    port: Number(values.target.slice(colon + 1)),
    connections: Number(values.connections),
    keys: planKeys(values.keys),
    warmupMs: Number(values['warmup-s']) * 1_000,
    durationMs: Number(values['duration-s']) * 1_000,
  };
  const result =
    values.rate === undefined
      ? await closedLoop(options, Number(values.streams))
      : await openLoop(options, Number(values.rate));
  console.log(JSON.stringify(result));
  process.exitCode = result.failed + result.lost > 0 ? 1 : 0;
}

try {
  await main();
} catch (error) {
  console.error(`${values.target}: ${error.message}`);
  process.exitCode = 2;
}
