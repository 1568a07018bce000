// A load that rises evenly: `node scripts/mesh/load.mjs URL [--from N] [--to N] [--seconds N]`. One request in five is a
// VIP's. A line a second: how many were sent, who answered, and how many were denied or failed.
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string', default: '45' },
    to: { type: 'string', default: '150' },
    seconds: { type: 'string', default: '60' },
  },
});
const [url] = positionals;
const [from, to, seconds] = [values.from, values.to, values.seconds].map(Number);
if (url === undefined || ![from, to, seconds].every((value) => value >= 0 && value <= 10_000)) {
  console.error('usage: node scripts/mesh/load.mjs URL [--from N] [--to N] [--seconds N]');
  process.exit(1);
}

const TURN_MS = 10;
const agent = new Agent({ keepAlive: true, maxSockets: 128 });
const startedMs = performance.now();
let seen = new Map();
let [due, sent, lastMs] = [0, 0, 0];

function note(vip, what) {
  const name = vip ? `${what} (vip)` : what;
  seen.set(name, (seen.get(name) ?? 0) + 1);
}

function ask() {
  sent += 1;
  const vip = sent % 5 === 0;
  const call = request(url, { agent, headers: vip ? { 'x-user-tier': 'vip' } : {} }, (answer) => {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk) => (text += text.length < 200 ? chunk : ''));
    answer.once('end', () =>
      note(vip, answer.statusCode === 200 ? text.split(':')[0] : `${answer.statusCode}`),
    );
    answer.once('error', () => note(vip, 'failed'));
  });
  call.once('error', () => note(vip, 'failed'));
  call.end();
}

const turns = setInterval(() => {
  const atMs = performance.now() - startedMs;
  const rate = from + (to - from) * Math.min(1, atMs / (seconds * 1_000));
  due += (rate * (atMs - lastMs)) / 1_000;
  lastMs = atMs;
  while (sent < due) ask();
  if (atMs > seconds * 1_000) {
    clearInterval(turns);
    clearInterval(lines);
    setTimeout(() => process.exit(0), 1_000);
  }
}, TURN_MS);

const lines = setInterval(() => {
  const rate = from + (to - from) * Math.min(1, lastMs / (seconds * 1_000));
  const counts = [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${count}`);
  console.log(`${(lastMs / 1_000).toFixed(0).padStart(4)} s  ${rate.toFixed(0)}/s  ${counts.join('  ')}`);
  seen = new Map();
}, 1_000);
