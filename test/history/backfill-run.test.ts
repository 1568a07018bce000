/** Backfill at the start: coarse before fine, class by class, again while the source is down, never in the way. */
import { TidegateError } from '../../src/core/errors';
import { BackfillRun } from '../../src/history/backfill-run';

const NOW_MS = 1_760_000_460_000;

function running(answers: ('ok' | 'TG_SOURCE_TIMEOUT' | 'TG_SOURCE_QUERY')[], ids: readonly string[]) {
  const asked: [string, number, number][] = [];
  const failures: string[] = [];
  const filled: string[] = [];
  const run = new BackfillRun({
    history: { fill: (_info, _stepMs, steps) => steps.length },
    source: (query, fromMs, toMs, stepMs) => {
      asked.push([query, stepMs, (toMs - fromMs) / stepMs]);
      const code = answers.shift() ?? 'ok';
      if (code !== 'ok') return Promise.reject(new TidegateError(code, 'x'));
      return Promise.resolve([{ labels: {}, points: [{ atMs: fromMs, value: 1 }] }]);
    },
    queries: ids.map((id) => ({ class: { id, kind: 'rule' }, figure: 'arrivals', query: id })),
    minutesMs: 3_600_000,
    tenMinutesMs: 86_400_000,
    nowMs: () => NOW_MS,
    onFilled: (results) => filled.push(...results.map(({ classId }) => classId)),
    onFailure: (error) => failures.push(error.code),
  });
  const turn = async (nowMs: number): Promise<void> => {
    run.turn(nowMs);
    await run.settled();
  };
  return { run, asked, failures, filled, turn };
}

test('coarse steps come before fine ones, one class a turn, the newest two minutes left out', async () => {
  const { run, asked, filled, turn } = running([], ['a', 'b']);
  await turn(NOW_MS);
  expect(asked).toEqual([
    ['a', 600_000, 143],
    ['a', 60_000, 60],
  ]);
  await turn(NOW_MS);
  await turn(NOW_MS);
  expect(filled).toEqual(['a', 'a', 'b', 'b']);
  expect(run.done).toBe(true);
});

test('a source that is down is asked again, later and later; a query that is wrong is left', async () => {
  const { run, asked, failures, turn } = running(
    ['TG_SOURCE_TIMEOUT', 'TG_SOURCE_TIMEOUT', 'TG_SOURCE_QUERY'],
    ['a', 'b'],
  );
  for (const after of [0, 9_999, 10_000, 29_999, 30_000]) await turn(NOW_MS + after);
  expect(asked).toHaveLength(3);
  expect(failures).toEqual(['TG_SOURCE_TIMEOUT', 'TG_SOURCE_TIMEOUT', 'TG_SOURCE_QUERY']);
  expect(run.done).toBe(false);
  await turn(NOW_MS + 30_001);
  await turn(NOW_MS + 30_001);
  expect(run.done).toBe(true);
  expect(asked.at(-1)?.[0]).toBe('b');
});
