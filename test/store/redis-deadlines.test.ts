import { DeadlineTimer } from '../../src/store/redis/deadline-timer';

interface Entry {
  over: boolean;
  expire(): void;
}

describe('a deadline timer', () => {
  const expired: string[] = [];
  let timer = new DeadlineTimer();
  const entry = (name: string): Entry => ({
    over: false,
    expire() {
      this.over = true;
      expired.push(name);
    },
  });

  beforeEach(() => {
    expired.length = 0;
    timer = new DeadlineTimer();
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('expires what is not done, in the order of the deadlines', async () => {
    const [late, soon, done] = [entry('late'), entry('soon'), entry('done')];
    timer.add(late, 30, performance.now());
    timer.add(soon, 10, performance.now());
    timer.add(done, 10, performance.now());
    done.over = true;
    await jest.advanceTimersByTimeAsync(8);
    expect(expired).toEqual([]);
    await jest.advanceTimersByTimeAsync(4);
    expect(expired).toEqual(['soon']);
    await jest.advanceTimersByTimeAsync(20);
    expect(expired).toEqual(['soon', 'late']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lets what arrived meanwhile be read before it expires anything', async () => {
    const slow = entry('slow');
    timer.add(slow, 5, performance.now());
    // What a socket delivers comes after the timers of a turn and before setImmediate.
    setTimeout(() => {
      slow.over = true;
    }, 5);
    await jest.advanceTimersByTimeAsync(10);
    expect(expired).toEqual([]);
  });

  it.each([0, -5, Infinity])('bounds a deadline of %d ms', async (deadlineMs) => {
    timer.add(entry('k'), deadlineMs, performance.now());
    await jest.advanceTimersByTimeAsync(3_600_002);
    expect(expired).toEqual(['k']);
  });

  it('runs one timer for any number of entries', () => {
    for (let i = 0; i < 1_000; i += 1) timer.add(entry(`${i}`), 10 + (i % 50), performance.now());
    expect(jest.getTimerCount()).toBe(1);
  });

  it('lets go of what is over before its deadline, and of its timer once there is nothing else', async () => {
    const [over, late] = [entry('over'), entry('late')];
    timer.add(over, 10, performance.now());
    timer.add(late, 10, performance.now());
    timer.forget(over);
    timer.forget(over);
    await jest.advanceTimersByTimeAsync(12);
    expect(expired).toEqual(['late']);
    timer.add(over, 10, performance.now());
    timer.forget(over);
    await jest.advanceTimersByTimeAsync(12);
    expect(expired).toEqual(['late']);
    expect(jest.getTimerCount()).toBe(0);
  });
});
