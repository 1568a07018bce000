/** A training: the same for a seed whoever does its tasks, the same after a stop, within its budget, and what it writes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsOfMarkup } from '../../parts/markup-check';
import { crewHere, type Crew } from '../../../src/app/training/thread-crew';
import { trainingPage } from '../../../src/app/training/training-page';
import { runTraining, type TrainingOutcome } from '../../../src/app/training/training-run';
import {
  readCheckpoint,
  writeCheckpoint,
  type TrainingState,
} from '../../../src/app/training/training-state';
import type { TrainingResult, TrainingTask } from '../../../src/app/training/training-tasks';
import { endLine, heldOutTable } from '../../../src/app/training/training-text';
import { SMALL_PLAN, smallJob, smallWork } from './small-training';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'tidegate-training-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** All that a training came to, but for the time it took. */
const resultOf = ({ learner, curves, best, end }: TrainingOutcome): object => ({
  ...{ learner: learner.save(), curves, best, end },
});

let whole: TrainingOutcome;
beforeAll(async () => (whole = await runTraining(smallJob())));

test('learns: the best policy of the days held out is better than doing nothing, and every update and look is told', () => {
  const { curves, best, end } = whole;
  expect(end).toBe('planned');
  expect(curves.updates.map(({ update }) => update)).toEqual(Array.from({ length: 13 }, (_, at) => at));
  expect(curves.heldOut.map(({ updates }) => updates)).toEqual([0, 4, 8, 12, 13]);
  expect(curves.heldOut[0]!.score).toBeCloseTo(1, 1);
  expect(best.score).toBe(Math.min(...curves.heldOut.map(({ score }) => score)));
  expect(best.score).toBeLessThan(0.9);
  expect(curves.solver.map(({ load }) => load)).toEqual(['0.9', '1.1']);
});

test('comes to the same when tasks end in another order, as threads end them', async () => {
  const work = smallWork(SMALL_PLAN);
  const backwards: Crew<TrainingTask, TrainingResult> = {
    round: async (tasks) =>
      [...tasks]
        .reverse()
        .map((task) => work(structuredClone(task)))
        .map((result) => structuredClone(result))
        .reverse(),
    close: async () => undefined,
  };
  expect(resultOf(await runTraining(smallJob({ crew: backwards })))).toEqual(resultOf(whole));
});

/** Stops a training in its n-th round, keeps it as a file, and reads that. */
async function stoppedAt(round: number): Promise<TrainingState> {
  const path = join(folder, `stopped-${round}.checkpoint`);
  const stopped = new AbortController();
  const inner = crewHere(smallWork(SMALL_PLAN), stopped.signal);
  let rounds = 0;
  const crew: Crew<TrainingTask, TrainingResult> = {
    round: (tasks) => {
      if ((rounds += 1) === round) stopped.abort(new Error('stopped by SIGINT'));
      return inner.round(tasks);
    },
    close: () => inner.close(),
  };
  const keep = (state: TrainingState): void => writeCheckpoint(path, SMALL_PLAN, state);
  await expect(runTraining(smallJob({ crew, keep }))).rejects.toThrow('stopped by SIGINT');
  return readCheckpoint(path, SMALL_PLAN);
}

test.each([1, 2, 3, 4, 7, 8, 9, 17])(
  'comes to the same when it is stopped in round %i, kept as a file and gone on with',
  async (round) => {
    const from = await stoppedAt(round);
    expect(resultOf(await runTraining(smallJob({ from })))).toEqual(resultOf(whole));
  },
);

test('ends with its budget at the next update; what is kept then is gone on with as if it had never stopped', async () => {
  let kept: TrainingState | undefined;
  let spent = 0;
  const work = smallWork(SMALL_PLAN);
  const crew: Crew<TrainingTask, TrainingResult> = {
    round: async (tasks) => {
      if (tasks[0]?.kind === 'rollout') spent += 10;
      return tasks.map(work);
    },
    close: async () => undefined,
  };
  const path = join(folder, 'budget.checkpoint');
  const keep = (state: TrainingState): void => writeCheckpoint(path, SMALL_PLAN, (kept = state));
  const cpuMs = (): number => spent;
  const short = await runTraining(smallJob({ crew, cpuMs, keep, budgetMs: 55 }));
  expect(short).toMatchObject({ end: 'budget', cpuMs: 60 });
  expect(short.curves.updates).toHaveLength(6);
  expect(short.curves.heldOut.map(({ updates }) => updates)).toEqual([0, 4, 6]);
  expect(kept).toBeDefined();
  const from = readCheckpoint(path, SMALL_PLAN);
  expect(from.cpuMs).toBe(60);
  const again = await runTraining(smallJob({ crew, cpuMs, from, budgetMs: 1_000 }));
  expect(resultOf(again)).toEqual(resultOf(whole));
  expect(again.cpuMs).toBe(130);
});

test('a task that fails ends it with its reason, and the last state is kept', async () => {
  let kept: TrainingState | undefined;
  const work = smallWork(SMALL_PLAN);
  const crew = crewHere<TrainingTask, TrainingResult>((task) => {
    if (task.kind === 'rollout' && task.update === 5) throw new Error('the thread is gone');
    return work(task);
  }, new AbortController().signal);
  const keep = (state: TrainingState): void => void (kept = state);
  await expect(runTraining(smallJob({ crew, keep }))).rejects.toThrow('the thread is gone');
  expect(kept?.learner.updates).toBe(5);
});

test.each<[string, (text: string) => string, RegExp]>([
  ['cut off', (text) => text.slice(0, 1_000), /not whole/],
  ['changed', (text) => text.replace('"cpuMs":', '"cpuMs":1'), /digest/],
  ['another file', () => '{"format":"tidegate-model"}', /no tidegate-checkpoint/],
])('a checkpoint that is %s is refused', (_, harm, message) => {
  const path = join(folder, 'harmed.checkpoint');
  writeCheckpoint(path, SMALL_PLAN, whole);
  writeFileSync(path, harm(readFileSync(path, 'utf8')));
  expect(() => readCheckpoint(path, SMALL_PLAN)).toThrow(
    expect.objectContaining({
      code: 'TG_LEARN_BAD_CHECKPOINT',
      message: expect.stringMatching(message) as string,
    }) as Error,
  );
});

test('a checkpoint of another scenario or seed is refused', () => {
  const path = join(folder, 'other.checkpoint');
  writeCheckpoint(path, SMALL_PLAN, whole);
  const other = { ...SMALL_PLAN.scenario, totalPerS: 101 };
  expect(() => readCheckpoint(path, { ...SMALL_PLAN, scenario: other })).toThrow(/another scenario or seed/);
  expect(() => readCheckpoint(path, { ...SMALL_PLAN, seed: 4 })).toThrow(/another scenario or seed/);
});

test('the report is a whole page with every curve, and the text says how it did', () => {
  const text = trainingPage('days.yaml', SMALL_PLAN, ['a warning'], whole);
  expect(faultsOfMarkup(text)).toEqual([]);
  for (const title of [
    'Weighted loss at load 1.1',
    'KL divergence',
    'clipped',
    'Entropy',
    'Explained variance',
    'miss',
    'a warning',
  ])
    expect(text).toContain(title);
  expect(endLine(whole)).toMatch(/all updates were made: 13 updates.*better than the solver there/);
  expect(heldOutTable(whole.curves, whole.best.updates)).toMatch(/load 0\.9 +\d/);
});
