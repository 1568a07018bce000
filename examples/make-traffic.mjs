// Writes examples/traffic.csv: four weeks of made-up requests per five minutes at a web service, the same each time.
// A day's wave that is lower at the weekend, slow growth, noise that grows with the traffic, a release at noon of the
// third Tuesday, a burst and an outage: what a forecast of real traffic meets.
import { writeFileSync } from 'node:fs';

const STEP_MS = 300_000;
const DAY = 288;
const START_MS = Date.UTC(2026, 0, 5);

let state = 20_260_105;
/** Uniform in [0, 1): a linear congruential generator, 31 bits. */
function random() {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return state / 0x80000000;
}
/** Nearly normal: the sum of twelve. */
const normal = () => Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);

const rows = ['timestamp,value'];
let drift = 0;
for (let at = 0; at < 28 * DAY; at += 1) {
  const day = Math.floor(at / DAY);
  const hour = ((at % DAY) / DAY) * 24;
  const weekend = day % 7 >= 5 ? 0.62 : 1;
  const wave =
    0.35 + 0.65 * Math.exp(-(((hour - 14) / 4.5) ** 2)) + 0.25 * Math.exp(-(((hour - 20) / 1.8) ** 2));
  drift = 0.97 * drift + 0.02 * normal();
  let mean = 900 * wave * weekend * (1 + 0.004 * day) * Math.exp(drift);
  if (at >= 15 * DAY + 144) mean *= 1.15; // the release
  if (at >= 24 * DAY + 190 && at < 24 * DAY + 196) mean *= 2.6; // a burst
  if (at >= 26 * DAY + 120 && at < 26 * DAY + 124) mean *= 0.05; // an outage
  const value = Math.max(0, Math.round(mean + Math.sqrt(mean) * 1.4 * normal()));
  rows.push(`${new Date(START_MS + at * STEP_MS).toISOString().slice(0, 19)}Z,${value}`);
}
writeFileSync(new URL('traffic.csv', import.meta.url), `${rows.join('\n')}\n`);
