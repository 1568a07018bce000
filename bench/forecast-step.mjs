/**
 * What a step of all forecasts costs the control thread: N classes, each with its forecaster of minutes and of tens of
 * minutes, warmed up on a generated day, then stepped and timed. Beside it, in the same run, what a bare loop over the
 * same figures costs, so that machines can be compared.
 *
 *   node bench/forecast-step.mjs [--classes 10000] [--warm 1440] [--steps 30]
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const require = createRequire(import.meta.url);
const { ClassBook } = require('../dist/forecast/class-book.js');
const { MODEL_KINDS } = require('../dist/forecast/choice/kinds.js');
const { scalesOf } = require('../dist/app/forecasting/scales.js');
const { seededRandom } = require('../dist/forecast/numeric/random.js');

const { values } = parseArgs({
  options: {
    classes: { type: 'string', default: '10000' },
    warm: { type: 'string', default: '1440' },
    steps: { type: 'string', default: '30' },
  },
});
const classes = Number(values.classes);
const warm = Number(values.warm);
const steps = Number(values.steps);
const settings = { seasons: ['1d', '7d'], anomaliesPerDay: 0.2, learnAfterMs: 7_200_000, holidays: [] };
const book = new ClassBook({
  scales: scalesOf(settings, MODEL_KINDS),
  maxClasses: classes,
  maxDrifts: 1_000,
});
const before = process.memoryUsage();
for (let index = 0; index < classes; index += 1) book.open({ id: `c${index}`, kind: 'rule' }, 0);

const random = seededRandom(1);
const level = Float64Array.from({ length: classes }, () => 10 ** (1 + 3 * random.next()));
const valueAt = (minute) => (id) => {
  const mean = (level[Number(id.slice(1))] ?? 0) * (1 + 0.5 * Math.sin((minute / 1_440) * 2 * Math.PI));
  return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
};
const median = (figures) => [...figures].sort((a, b) => a - b)[figures.length >> 1];
const timed = (work) => {
  const started = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - started) / 1e6;
};

for (let minute = 0; minute < warm; minute += 1) {
  book.step('fine', minute * 60_000, valueAt(minute));
  if (minute % 10 === 9) book.step('coarse', (minute - 9) * 60_000, valueAt(minute));
}
const fine = [];
const bare = [];
for (let step = 0; step < steps; step += 1) {
  const minute = warm + step;
  bare.push(timed(() => [...book.ids()].map(valueAt(minute))));
  fine.push(timed(() => book.step('fine', minute * 60_000, valueAt(minute))));
}
const coarse = [];
for (let step = 0; step < Math.max(3, steps / 10); step += 1) {
  const atMs = (warm + steps + 10 * step) * 60_000;
  coarse.push(timed(() => book.step('coarse', atMs, valueAt(atMs / 60_000))));
}
globalThis.gc?.();
const after = process.memoryUsage();
const report = (name, figures) =>
  console.log(
    `${name.padEnd(28)} median ${median(figures).toFixed(1)} ms, ${Math.min(...figures).toFixed(1)} to ${Math.max(...figures).toFixed(1)}, ${((median(figures) / classes) * 1_000).toFixed(2)} us a class`,
  );
console.log(`${classes} classes, ${warm} minutes of warm-up, ${steps} steps`);
report('figures alone', bare);
report('a step of minutes', fine);
report('a step of tens of minutes', coarse);
const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
console.log(`memory: ${(bytes / classes / 1_024).toFixed(1)} KiB a class, both scales`);
