// What history takes for 10,000 classes: memory of the two fine levels, file of all, time of a step and of a write.
// Figures are Poisson counts around a daily wave, of rates spread as of a Zipf law, a tenth of the classes with denials.
// Run after `npm run build`: node --expose-gc bench/history/measure.cjs [classes] [hours]
const { mkdtempSync, rmSync, statSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const console = require('node:console');
const process = require('node:process');
const { History } = require('../../dist/history/history.js');
const { HistoryFile } = require('../../dist/history/history-file.js');
const { DEFAULT_RETENTION, levels, chunkMs } = require('../../dist/series/levels.js');
const { OpenChunk, packChunk, BLOCK_SLOTS } = require('../../dist/series/chunk.js');
const { seededRandom } = require('../../dist/forecast/numeric/random.js');

const CLASSES = Number(process.argv[2] ?? 10_000);
const SECONDS = Number(process.argv[3] ?? 6) * 3_600;
const BEGIN_MS = 1_699_999_200_000;
const random = seededRandom(1);

/** A Poisson figure; normal where the rate is high. */
function poisson(rate) {
  if (rate > 30) return Math.max(0, Math.round(rate + Math.sqrt(rate) * random.normal()));
  const limit = Math.exp(-rate);
  let count = 0;
  for (let product = random.next(); product > limit; product *= random.next()) count += 1;
  return count;
}

const rates = Array.from({ length: CLASSES }, (_, index) => Math.min(2_000, 50_000 / (index + 10)));
const wave = (atMs) => 1 + 0.6 * Math.sin((2 * Math.PI * atMs) / 86_400_000);

function row(index, scale, out, from) {
  const arrivals = poisson(rates[index] * scale);
  const denied = index % 10 === 0 ? Math.floor(arrivals * random.next() * 0.2) : 0;
  out[from] = arrivals;
  out[from + 1] = arrivals - denied;
  out[from + 2] = denied;
  out[from + 4] = arrivals;
}

/** The packed length of one chunk of all classes at a level, bytes. */
function packedBytes(level, atMs) {
  const owners = new Float64Array(BLOCK_SLOTS);
  const figures = new Float64Array(5);
  let sum = 0;
  for (let first = 0; first < CLASSES; first += BLOCK_SLOTS) {
    const chunk = new OpenChunk(5, level.chunkSteps);
    for (let slot = 0; slot < BLOCK_SLOTS && first + slot < CLASSES; slot += 1) {
      owners[slot] = first + slot + 1;
      for (let step = 0; step < level.chunkSteps; step += 1) {
        figures.fill(0);
        row(first + slot, (wave(atMs + step * level.stepMs) * level.stepMs) / 1_000, figures, 0);
        for (let column = 0; column < 5; column += 1)
          chunk.values[chunk.index(slot, step) + column * level.chunkSteps] = figures[column];
      }
    }
    sum += packChunk(chunk, owners).length;
  }
  return sum;
}

function run(folder) {
  const history = new History(
    {
      path: path.join(folder, 'history.db'),
      retention: DEFAULT_RETENTION,
      flushMs: 10_000,
      classesMax: CLASSES,
      lateMs: 30_000,
      memoryMaxBytes: 1e9,
      fileMaxBytes: 4e9,
    },
    BEGIN_MS,
  );
  const classes = rates.map((_, index) => `rule-${index}`);
  const counts = new Float64Array(CLASSES * 5);
  const takes = [];
  const closes = [];
  let heap = 0;
  for (let second = 0; second < SECONDS; second += 1) {
    const atMs = BEGIN_MS + second * 1_000;
    // Drawing the figures is the slow part: a batch in four is drawn anew, those between are moved along.
    if (second % 4 === 0)
      for (let index = 0; index < CLASSES; index += 1) row(index, wave(atMs), counts, index * 5);
    else counts.copyWithin(0, 5 * 7).fill(1, counts.length - 35);
    const added = second === 0 ? classes.map((id) => ({ id, kind: 'rule' })) : [];
    const begun = process.hrtime.bigint();
    history.take({ source: 'one', sequence: second + 1, atMs, stepMs: 1_000, added, classes, counts }, atMs);
    const taken = process.hrtime.bigint();
    history.closeStep(atMs + 1_000);
    takes.push(Number(taken - begun) / 1e6);
    closes.push(Number(process.hrtime.bigint() - taken) / 1e6);
    if (second % 600 === 599) heap = Math.max(heap, process.memoryUsage().rss);
  }
  globalThis.gc?.();
  const state = history.state();
  const quantile = (list, part) =>
    [...list].sort((a, b) => a - b)[Math.floor(part * (list.length - 1))].toFixed(1);
  console.log(
    `after ${SECONDS / 3_600} h of ${CLASSES} classes: chunks ${(state.memoryBytes / 1e6).toFixed(0)} MB, process ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB (most ${(heap / 1e6).toFixed(0)})`,
  );
  console.log(
    `take ms: median ${quantile(takes, 0.5)}, p99 ${quantile(takes, 0.99)}, most ${quantile(takes, 1)}`,
  );
  console.log(
    `close ms: median ${quantile(closes, 0.5)}, p95 ${quantile(closes, 0.95)}, most ${quantile(closes, 1)}`,
  );
  history.close(BEGIN_MS + SECONDS * 1_000);
  console.log(`file ${(statSync(path.join(folder, 'history.db')).size / 1e6).toFixed(0)} MB`);
  const file = HistoryFile.open(path.join(folder, 'history.db'));
  for (const [step, rows, bytes] of file.rows(
    'SELECT step_ms, count(*), sum(length(data)) FROM chunks GROUP BY step_ms',
  ))
    console.log(`  step ${step} ms: ${rows} rows, ${(bytes / 1e6).toFixed(1)} MB`);
  file.close();
}

const folder = mkdtempSync(path.join(tmpdir(), 'tidegate-history-'));
try {
  let total = 0;
  for (const level of levels()) {
    const chunks = Math.ceil(level.retentionMs / chunkMs(level)) + 1;
    const bytes = packedBytes(level, BEGIN_MS) * chunks;
    const pages = Math.ceil(CLASSES / BLOCK_SLOTS) * chunks;
    total += bytes + pages * 2_100;
    console.log(
      `level ${level.stepMs} ms kept in full: ${(bytes / 1e6).toFixed(0)} MB packed, ${((bytes / CLASSES / level.retentionMs) * level.stepMs).toFixed(2)} bytes a step and class`,
    );
  }
  console.log(`file with all levels in full, about: ${(total / 1e6).toFixed(0)} MB`);
  run(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
