/** A process that feeds a history a second at a time, as fast as it can, and says how far it is, until it is killed. */
import { COUNTS } from '../../src/core/observation';
import { History } from '../../src/history/history';
import { DEFAULT_RETENTION } from '../../src/series/levels';

const BEGIN_MS = 1_699_999_200_000;
const history = new History(
  {
    path: process.argv[2] ?? '',
    retention: DEFAULT_RETENTION,
    flushMs: 10_000,
    classesMax: 10,
    lateMs: 30_000,
    memoryMaxBytes: 1e8,
    fileMaxBytes: 1e9,
  },
  BEGIN_MS,
);
let second = 0;
setInterval(() => {
  const nowMs = BEGIN_MS + second * 1_000;
  history.take(
    {
      source: 'one',
      sequence: second + 1,
      atMs: nowMs,
      stepMs: 1_000,
      added: [{ id: 'a', kind: 'rule' }],
      classes: ['a'],
      counts: Float64Array.from(COUNTS.map((_, column) => (column === 0 ? second : 0))),
    },
    nowMs,
  );
  second += 1;
  history.closeStep(nowMs + 1_000);
  process.stdout.write(`${second}\n`);
}, 1);
