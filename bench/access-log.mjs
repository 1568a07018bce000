/**
 * Entries of Envoy's access logs a second on one core: decoded and counted as Tidegate does it, and decoded by protobufjs with
 * Envoy's full definitions and counted by the same tally. Both take the same bytes, in turns. And what a snapshot costs. All in CPU time.
 * Needs a build.
 *
 *   node bench/access-log.mjs [--rounds 9] [--ms 300]
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { formatSpread, ratioOf, spreadOf } from './harness/statistics.mjs';

const load = createRequire(import.meta.url);
const { definitions } = load('../dist/mesh/definitions.js');
const { AccessLogMessage } = load('../dist/mesh/telemetry/access-log-message.js');
const { bucketOf } = load('../dist/mesh/telemetry/latency-buckets.js');
const { FLAG_NAMES, outcomeOf } = load('../dist/mesh/telemetry/response-flags.js');
const { trafficFigures } = load('../dist/mesh/telemetry/traffic-figures.js');
const { TrafficTally } = load('../dist/mesh/telemetry/traffic-tally.js');
const { TrafficWindow } = load('../dist/mesh/telemetry/traffic-window.js');

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, ms: { type: 'string', default: '300' } },
});
const ROUNDS = Number(values.rounds);
const ROUND_MS = Number(values.ms);
const TYPE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';
/** About what Envoy sends at once: its buffer is 16 KiB by default. */
const ENTRIES = 32;
const MESSAGES = 64;
const SERIES = 200;

const address = (host, port) => ({ socket_address: { address: host, port_value: port } });
const duration = (ms) => ({ seconds: Math.floor(ms / 1_000), nanos: Math.round((ms % 1_000) * 1e6) });
/** Numbers from 0 to 1, the same ones each run (Park and Miller's generator). */
let seed = 20_261;
const draw = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;

/** With the fields that an Envoy fills. */
function entry() {
  const series = Math.floor(draw() * SERIES);
  const ms = 1 + 50 * draw() ** 4;
  const failed = draw() < 0.02;
  return {
    common_properties: {
      downstream_remote_address: address('10.1.2.3', 43_210),
      downstream_local_address: address('10.1.0.1', 8_080),
      downstream_direct_remote_address: address('10.1.2.3', 43_210),
      start_time: { seconds: 1_800_000_000, nanos: 123_456_789 },
      time_to_last_rx_byte: duration(ms / 10),
      time_to_first_upstream_tx_byte: duration(ms / 9),
      time_to_last_upstream_tx_byte: duration(ms / 8),
      time_to_first_upstream_rx_byte: duration(ms / 2),
      time_to_last_upstream_rx_byte: duration(ms * 0.9),
      time_to_first_downstream_tx_byte: duration(ms * 0.9),
      time_to_last_downstream_tx_byte: duration(ms),
      upstream_remote_address: address(`10.2.0.${series}`, 8_000),
      upstream_local_address: address('10.1.0.1', 50_123),
      upstream_cluster: `service-${series % 40}`,
      response_flags: failed ? { upstream_remote_reset: true } : {},
      route_name: `route-${series % 20}`,
      duration: duration(ms),
      upstream_request_attempt_count: 1,
      stream_id: '6f3b8a52-0b7e-4f5b-9a3d-1c2d3e4f5a6b',
      downstream_wire_bytes_sent: 1_234,
      downstream_wire_bytes_received: 456,
      upstream_wire_bytes_sent: 567,
      upstream_wire_bytes_received: 1_345,
      access_log_type: 6,
    },
    protocol_version: 2,
    request: {
      request_method: 1,
      scheme: 'https',
      authority: 'shop.example.com',
      path: '/api/v1/items/4711?color=green',
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
      request_id: '1d2e3f40-5a6b-7c8d-9e0f-a1b2c3d4e5f6',
      request_headers_bytes: 420,
    },
    response: {
      response_code: { value: failed ? 503 : 200 },
      response_headers_bytes: 200,
      response_body_bytes: 1_000,
      response_code_details: 'via_upstream',
    },
  };
}

const messages = Array.from({ length: MESSAGES }, () =>
  definitions().encode(TYPE, { http_logs: { log_entry: Array.from({ length: ENTRIES }, entry) } }),
);
const bytesAnEntry = messages.reduce((sum, one) => sum + one.length, 0) / MESSAGES / ENTRIES;

const makeWindow = () => new TrafficWindow({ seconds: 10, maxSeries: 2_000, maxWords: 16_777_216 });

function ours() {
  const window = makeWindow();
  const message = new AccessLogMessage();
  return {
    take: (bytes) => {
      message.read(bytes, 65_536);
      for (let at = 0; at < message.size; at += 1) window.add(message, at);
    },
    // What a second costs when it ends is of the same requests.
    end: () => window.advance(),
    window,
  };
}

const msOf = (one) => Number(one.seconds ?? 0) * 1_000 + (one.nanos ?? 0) / 1e6;
const FLAG_BITS = new Map(
  definitions()
    .type('envoy.data.accesslog.v3.ResponseFlags')
    .fieldsArray.filter(({ id }) => id <= FLAG_NAMES.length)
    .map(({ id, name }) => [name, 1 << (id - 1)]),
);

function full() {
  const tallies = new Map();
  return {
    take: (bytes) => {
      for (const one of definitions().decode(TYPE, bytes).http_logs.log_entry) {
        const common = one.common_properties;
        const host = common.upstream_remote_address.socket_address;
        const key = `${common.route_name} ${common.upstream_cluster} ${host.address}:${host.port_value}`;
        let tally = tallies.get(key);
        if (tally === undefined) tallies.set(key, (tally = new TrafficTally()));
        let flags = 0;
        for (const name of Object.keys(common.response_flags)) flags |= FLAG_BITS.get(name) ?? 0;
        const outcome = outcomeOf(flags, one.response.response_code.value, -1);
        tally.count(1, outcome, bucketOf(msOf(common.time_to_last_downstream_tx_byte)), flags);
      }
    },
    end: () => {},
  };
}

/** CPU time of this process, ms: a busy machine takes time from a round, and no CPU time. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Entries a second of CPU time of a round. */
function rate(way) {
  const started = cpuMs();
  let taken = 0;
  while (cpuMs() - started < ROUND_MS) {
    for (const bytes of messages) way.take(bytes);
    taken += MESSAGES * ENTRIES;
  }
  way.end();
  return (taken / (cpuMs() - started)) * 1_000;
}

const ways = { ours: ours(), full: full() };
for (const way of Object.values(ways)) rate(way);
const rates = { ours: [], full: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, way] of Object.entries(ways)) rates[name].push(rate(way));
}
const digits = (count) => (value) => value.toFixed(count);
const SNAPSHOTS = 50;
const snapshots = Array.from({ length: ROUNDS }, () => {
  const started = cpuMs();
  for (let made = 0; made < SNAPSHOTS; made += 1) trafficFigures(ways.ours.window);
  return (cpuMs() - started) / SNAPSHOTS;
});
const thousands = (list) => formatSpread(spreadOf(list.map((one) => one / 1_000)), digits(0));
console.log(`entries of ${bytesAnEntry.toFixed(0)} bytes, ${SERIES} series, ${ROUNDS} rounds`);
console.log(`decoded and counted by Tidegate, thousand/s     ${thousands(rates.ours)}`);
console.log(`by the full definitions of protobufjs           ${thousands(rates.full)}`);
console.log(
  `ratio                                           ${formatSpread(ratioOf(rates.ours, rates.full), digits(1))}`,
);
console.log(
  `a snapshot, CPU ms                              ${formatSpread(spreadOf(snapshots), digits(2))}`,
);
