import { readdirSync, readFileSync } from 'node:fs';
import { writeLimits } from '../parts/limits-file';
import { startTidegate } from '../parts/tidegate-process';
import { until } from '../parts/until';

/** The nice values of a process's threads by their numbers; proc_pid_stat(5), field 19. */
function niceValues(pid: number): Map<number, number> {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  return new Map(
    threads.map((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return [thread, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])];
    }),
  );
}

test('the thread of control gives way to the one that decides', async () => {
  const limits = await writeLimits('domain: shop\ndescriptors: []\n');
  const tidegate = await startTidegate({ limits: limits.path });
  try {
    const { pid } = tidegate.child;
    await until('a thread of lower priority', () => [...niceValues(pid).values()].includes(5));
    expect(niceValues(pid).get(pid)).toBe(0);
  } finally {
    await tidegate.stop();
    await limits.remove();
  }
});
