/**
 * ALLOC-8: eight services, two of each priority, that share 1000/s; queues of 2, 5, 10 and 30 s by priority; loads of 0.7, 0.9 and 1.1, and 0.7
 * with crowds. Trains the learned allocator on the first two thirds of the days, by several seeds, and scores every policy on the last third:
 * weighted loss in percent, CRITICAL dropped at 1.1, use of the total where demand reaches it. Needs a build.
 *
 *   node bench/alloc8.mjs [--seeds 5] [--budget 10m] [--days 15] [--traces DIR] [--out DIR] [--only lending|without]
 *
 * Demand is made here, with the statistics of public request series: a day's cycle, a weekend, wandering on several scales, bursts of
 * heavy tails. With --traces, the four first `*.csv` files of a folder (timestamp,value by the minute, of the days at least) stand for them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    budget: { type: 'string', default: '10m' },
    days: { type: 'string', default: '15' },
    traces: { type: 'string' },
    out: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const SEEDS = Number(values.seeds);
const DAYS = Number(values.days);
const TRAIN_DAYS = Math.floor((DAYS * 2) / 3);
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const OUT = values.out === undefined ? mkdtempSync(join(tmpdir(), 'alloc8-')) : resolve(values.out);

const DAY_MINUTES = 1_440;
/** A Monday, Unix s. */
const START_S = 1_767_571_200;
const PRIORITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];
const QUEUES = ['2s', '5s', '10s', '30s'];
const ROLLS = [473, 86, 24, 1_117, 229, 146, 239, 1_245];

/**
 * By series: mean a minute, depth of the day's cycle, the peak's hour, the weekend's part; deviation and memory of the quick and
 * of the slow wandering (of the logarithm, by the minute); bursts a day, their least height and their tail's exponent, mean minutes.
 */
const SERIES = [
  {
    mean: 70,
    depth: 0.5,
    peak: 12,
    weekend: 0.55,
    quick: [0.22, 0.6],
    slow: [0.18, 0.995],
    bursts: [3, 0.6, 2.2, 12],
  },
  {
    mean: 2_200,
    depth: 0.6,
    peak: 17,
    weekend: 0.8,
    quick: [0.06, 0.8],
    slow: [0.2, 0.998],
    bursts: [2, 0.4, 1.8, 25],
  },
  {
    mean: 60,
    depth: 0.75,
    peak: 15,
    weekend: 0.7,
    quick: [0.3, 0.85],
    slow: [0.25, 0.99],
    bursts: [6, 0.8, 1.7, 6],
  },
  {
    mean: 900,
    depth: 0.45,
    peak: 20,
    weekend: 1,
    quick: [0.1, 0.7],
    slow: [0.15, 0.997],
    bursts: [3, 0.5, 2, 15],
  },
];

/** Numbers between 0 and 1, the same ones each run (Marsaglia's xorshift with 32 bits). */
function uniforms(seed) {
  let state = seed >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (state + 0.5) / 4_294_967_296;
  };
  for (let warm = 0; warm < 20; warm += 1) next();
  return next;
}

function seriesOf({ mean, depth, peak, weekend, quick, slow, bursts }, seed) {
  const uniform = uniforms(seed);
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const [[quickSd, quickKept], [slowSd, slowKept], [perDay, least, tail, minutes]] = [quick, slow, bursts];
  let [fast, wander, burst] = [0, 0, 0];
  return Array.from({ length: DAYS * DAY_MINUTES }, (_, minute) => {
    const angle = (2 * Math.PI * (minute - peak * 60)) / DAY_MINUTES;
    const day = Math.floor(minute / DAY_MINUTES) % 7;
    const cycle = (1 + depth * Math.cos(angle) + 0.2 * depth * Math.cos(2 * angle)) * (day > 4 ? weekend : 1);
    fast = quickKept * fast + Math.sqrt(1 - quickKept ** 2) * quickSd * normal();
    wander = slowKept * wander + Math.sqrt(1 - slowKept ** 2) * slowSd * normal();
    // Pareto's tail, cut where no service survives.
    if (uniform() < perDay / DAY_MINUTES) burst += Math.min(6, least * uniform() ** (-1 / tail));
    burst *= 1 - 1 / minutes;
    const expected = mean * Math.max(0.05, cycle) * Math.exp(fast + wander) * (1 + burst);
    return Math.max(0, Math.round(expected + Math.sqrt(expected) * normal()));
  });
}

function writeTraces() {
  mkdirSync(OUT, { recursive: true });
  if (values.traces !== undefined) {
    const folder = resolve(values.traces);
    const files = readdirSync(folder)
      .filter((name) => name.endsWith('.csv'))
      .sort()
      .slice(0, 4);
    if (files.length === 0) throw new Error(`${folder} holds no .csv files`);
    return files.map((name) => join(folder, name));
  }
  return SERIES.map((one, at) => {
    const path = join(OUT, `series-${at + 1}.csv`);
    const rows = seriesOf(one, 5_000 + at).map((value, minute) => `${START_S + 60 * minute},${value}`);
    writeFileSync(path, `timestamp,value\n${rows.join('\n')}\n`);
    return path;
  });
}

function writeScenario(name, traces, { lending, flash }) {
  const services = PRIORITIES.flatMap((priority, rank) =>
    [0, 1].map((second) => {
      const at = 2 * rank + second;
      const share = second === 0 ? 0.15 : 0.1;
      const trace = JSON.stringify(traces[at % traces.length]);
      return `  - { name: s${at}, priority: ${priority}, share: ${share}, queue_limit: ${QUEUES[rank]}, trace: ${trace}, roll: ${ROLLS[at]}m }`;
    }),
  );
  const path = join(OUT, `${name}.yaml`);
  writeFileSync(
    path,
    [
      'seed: 7',
      'total_tps: 1000',
      'interval: 1m',
      'tick: 1s',
      `loads: ${flash ? '[0.7]' : '[0.7, 0.9, 1.1]'}`,
      `split: { train_days: ${TRAIN_DAYS}, test_days: ${DAYS - TRAIN_DAYS} }`,
      `lending: ${lending}`,
      ...(flash ? ['flash: { factor: 4, duration: 20m, every: 6h }'] : []),
      'services:',
      ...services,
      '',
    ].join('\n'),
  );
  return path;
}

const tidegate = (...args) =>
  execFileSync(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });

/** @returns figures by policy, load (`flash` for the crowds) and name. */
function simulated(paths, model) {
  const figures = {};
  for (const [path, flash] of paths) {
    const json = `${path}.json`;
    tidegate('simulate', path, '--json', json, ...(model === undefined ? [] : ['--model', model]));
    for (const [policy, loads] of Object.entries(JSON.parse(readFileSync(json, 'utf8')))) {
      for (const [load, one] of Object.entries(loads)) (figures[policy] ??= {})[flash ? 'flash' : load] = one;
    }
  }
  return figures;
}

const COLUMNS = [
  ['0.7', '0.7', ({ weighted_loss: loss }) => 100 * loss],
  ['0.9', '0.9', ({ weighted_loss: loss }) => 100 * loss],
  ['1.1', '1.1', ({ weighted_loss: loss }) => 100 * loss],
  ['0.7 + crowds', 'flash', ({ weighted_loss: loss }) => 100 * loss],
  ['CRITICAL dropped at 1.1', '1.1', ({ dropped }) => 100 * dropped.CRITICAL],
  ['use at 0.9', '0.9', ({ utilization_overloaded: use }) => 100 * use],
  ['use at 1.1', '1.1', ({ utilization_overloaded: use }) => 100 * use],
];

/** `mean (min..max)`, or the figure where there is one. */
function told(figures, digits) {
  const text = (figure) => figure.toFixed(digits);
  const mean = figures.reduce((sum, figure) => sum + figure / figures.length, 0);
  if (figures.length < 2) return text(mean);
  return `${text(mean)} (${text(Math.min(...figures))}..${text(Math.max(...figures))})`;
}

const row = (name, runs) =>
  `| ${name} | ${COLUMNS.map(([, load, of]) =>
    told(
      runs.map((run) => of(run[load])),
      2,
    ),
  ).join(' | ')} | ${runs
    .flatMap((run) => Object.values(run))
    .reduce((sum, { violations }) => sum + violations, 0)} |`;

const traces = writeTraces();
for (const lending of [true, false]) {
  const word = lending ? 'lending' : 'without';
  if (values.only !== '' && values.only !== word) continue;
  const plain = writeScenario(word, traces, { lending, flash: false });
  const paths = [
    [plain, false],
    [writeScenario(`${word}-crowds`, traces, { lending, flash: true }), true],
  ];
  const learned = [];
  let others;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const model = join(OUT, `${word}-${seed}.model.json`);
    tidegate('train', plain, '--out', model, '--seed', String(seed), '--budget', values.budget, '--quiet');
    const figures = simulated(paths, model);
    learned.push(figures.ppo);
    others ??= figures;
  }
  others ??= simulated(paths);
  console.log(
    `\n${lending ? 'With' : 'Without'} lending, weighted loss %, ${DAYS - TRAIN_DAYS} test days, ${SEEDS} seeds\n`,
  );
  console.log(`| policy | ${COLUMNS.map(([title]) => title).join(' | ')} | violations |`);
  console.log(`|---|${COLUMNS.map(() => '---|').join('')}---|`);
  for (const [name, run] of Object.entries(others)) if (name !== 'ppo') console.log(row(name, [run]));
  if (learned.length > 0) {
    console.log(row('ppo', learned));
    const ratios = COLUMNS.slice(0, 4).map(([title, load, of]) => {
      const parts = learned.map((run) => of(run[load]) / of(others.predictive[load]));
      return `${title}: ${told(parts, 3)}`;
    });
    console.log(`\nppo over predictive: ${ratios.join(', ')}`);
  }
}
console.log(`\nScenarios, models and figures are in ${OUT}.`);
