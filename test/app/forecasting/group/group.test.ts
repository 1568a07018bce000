/** Members of a group: all keep what all saw, one forecasts, and who comes after it goes on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeStore } from './fake-group';
import { BEGIN_MS, Member, pass, type TestClock } from './members';

let clock: TestClock;
let store: FakeStore;
let members: Member[];

function enter(...names: string[]): Member[] {
  const joined = names.map((name) => new Member(name, clock, store));
  members.push(...joined);
  return joined;
}

beforeEach(() => {
  clock = { nowMs: BEGIN_MS };
  store = new FakeStore();
  members = [];
});
afterEach(async () => {
  await Promise.all(members.map(({ control }) => control.close()));
});

const all = (value: number | null, count: number) => Array.from({ length: count }, () => value);

test('what members count is in the history of each, once', async () => {
  const [a, b, c] = enter('a', 'b', 'c') as [Member, Member, Member];
  store.elect('a');
  await pass(clock, [a, b, c], 20, (member) => (member === a ? 1 : 10));
  for (const member of [a, b, c]) expect(member.hits(BEGIN_MS, BEGIN_MS + 15_000)).toEqual(all(21, 15));
});

test('workers of a member are told as one source, and a class ends when the last of them ends it', async () => {
  const [a, b] = enter('a', 'b') as [Member, Member];
  store.elect('a');
  for (let second = 0; second < 10; second += 1) {
    const atMs = clock.nowMs;
    a.count(atMs, 3, 'a/1');
    a.count(atMs, 4, 'a/2');
    clock.nowMs += 1_000;
    await a.turn();
    await b.turn();
  }
  expect(new Set(store.log.map(({ source }) => source))).toEqual(new Set(['a']));
  expect(b.hits(BEGIN_MS, BEGIN_MS + 8_000)).toEqual(all(7, 8));
  expect(a.hits(BEGIN_MS, BEGIN_MS + 8_000)).toEqual(all(7, 8));

  a.count(clock.nowMs, 0, 'a/1', ['shop.rule']);
  clock.nowMs += 5_000;
  await a.turn();
  await b.turn();
  const ended = (member: Member) => member.history.classes().find(({ id }) => id === 'shop.rule')?.ended;
  expect([ended(a), ended(b)]).toEqual([false, false]);
  a.count(clock.nowMs, 0, 'a/2', ['shop.rule']);
  clock.nowMs += 5_000;
  await a.turn();
  await b.turn();
  expect([ended(a), ended(b)]).toEqual([true, true]);
});

test('the leader forecasts; others tell its forecasts, and say whose they are', async () => {
  const [a, b] = enter('a', 'b') as [Member, Member];
  store.elect('a');
  await pass(clock, [a, b], 5, 5);
  expect(await b.predict()).toMatchObject({ source: 'none', flags: ['unknown'] });
  await pass(clock, [a, b], 680, 5);
  const own = await a.predict();
  expect(own).toMatchObject({ source: 'model', classId: 'service:shop' });
  expect(own.steps[0]?.mean).toBeCloseTo(10, 3);
  // The board is shown when a minute is closed, and read every ten seconds.
  const told = await b.predict();
  expect(told).toMatchObject({ source: 'leader', model: own.model, horizon: '1m', level: 0.8 });
  expect(told.steps[0]?.mean).toBeCloseTo(10, 3);
  expect((await b.predict('1d')).steps).toHaveLength(144);
  const statuses = await Promise.all([a, b].map((member) => member.ask('status', {})));
  expect(statuses.map(({ leader, tracked }) => ({ leader, tracked }))).toEqual([
    { leader: true, tracked: 2 },
    { leader: false, tracked: 0 },
  ]);
  expect(statuses[1]?.group).toMatchObject({ name: 'default', leaderSource: 'a', boardClasses: 2, epoch: 1 });
  expect(b.figures.at(-1)).toMatchObject({ leader: false, classes: [] });
  expect(a.figures.at(-1)?.classes).toHaveLength(2);
  const accuracy = await b.ask('accuracy', { offset: 0, limit: 10 });
  expect(accuracy.accuracy.map(({ classId }) => classId)).toContain('service:shop');
  await expect(b.ask('refit', {})).rejects.toMatchObject({ code: 'TG_FORECAST_FOLLOWER' });
  await expect(b.ask('models', { classId: 'service:shop' })).rejects.toMatchObject({
    code: 'TG_FORECAST_FOLLOWER',
    message: expect.stringContaining('a forecasts') as string,
  });
});

test("alerts are the leader's to tell; the others show what it tells, and have none in their metrics", async () => {
  const file = `forecast:
  alerts: [{name: peak, class: 'service:shop', horizon: 1m, above_per_s: 3}]
  replicas: [{service: shop, capacity_per_replica: 2, horizon: 1m}]`;
  const [a, b] = ['a', 'b'].map((name) => new Member(name, clock, store, file)) as [Member, Member];
  members.push(a, b);
  store.elect('a');
  await pass(clock, [a, b], 200, 5);
  const told = await Promise.all([a, b].map((one) => one.ask('alerts', {})));
  expect(told.map(({ alerts }) => alerts[0])).toMatchObject([
    { name: 'peak', active: true },
    { name: 'peak', active: true },
  ]);
  const replicas = await Promise.all([a, b].map((one) => one.ask('replicas', {})));
  expect(replicas[1]).toEqual(replicas[0]);
  const logged = (one: Member) =>
    one.lines.filter(({ message }) => message.includes('crosses the threshold'));
  expect([logged(a).length, logged(b).length]).toEqual([1, 0]);
  expect([a, b].map((one) => one.figures.at(-1)?.alerts.length)).toEqual([1, 0]);
  store.elect('b');
  await pass(clock, [a, b], 120, 5);
  expect([a, b].map((one) => one.figures.at(-1)?.alerts.length)).toEqual([0, 1]);
});

test('a board that is too old is told no more: members then forecast from their own history', async () => {
  const [a, b] = enter('a', 'b') as [Member, Member];
  store.elect('a');
  await pass(clock, [a, b], 130, 5);
  expect((await b.predict()).source).toBe('leader');
  // The leader is gone, and nobody follows.
  store.leader = '';
  await pass(clock, [b], 400, 5);
  const made = await b.predict();
  expect(made.source).toBe('model');
  expect(made.flags).toContain('passing');
  expect(made.steps[0]?.mean).toBeLessThan(7);
});

test('who takes over forecasts at once, from the history that it kept', async () => {
  const [a, b] = enter('a', 'b') as [Member, Member];
  store.elect('a');
  await pass(clock, [a, b], 600, 5);
  store.elect('b');
  await pass(clock, [b], 2, 10);
  expect((await b.ask('status', {})).tracked).toBe(2);
  const prediction = await b.predict();
  expect(prediction.steps[0]?.mean).toBeCloseTo(10, 0);
  await pass(clock, [b], 120, 10);
  expect(await b.predict()).toMatchObject({ source: 'model' });
  expect(b.figures.at(-1)).toMatchObject({ leader: true });
});

test('a leader that leads no more closes its forecasters, and takes them up again where they stood', async () => {
  const [a, b] = enter('a', 'b') as [Member, Member];
  store.elect('a');
  await pass(clock, [a, b], 600, 5);
  const before = await a.predict();
  store.elect('b');
  await pass(clock, [a, b], 300, 5);
  expect((await a.ask('status', {})).tracked).toBe(0);
  store.elect('a');
  await pass(clock, [a, b], 130, 5);
  const after = await a.predict();
  expect(after.source).toBe('model');
  expect(after.steps[0]?.mean).toBeCloseTo(before.steps[0]?.mean ?? 0, 0);
  const anomalies = await a.ask('anomalies', { offset: 0, limit: 10 });
  expect(anomalies.anomalies).toEqual([]);
});

test('while the store is down own counts go on; when it comes back, all are merged, none twice', async () => {
  const [a, b] = enter('a', 'b') as [Member, Member];
  store.elect('a');
  await pass(clock, [a, b], 30, 5);
  store.down = true;
  const downMs = clock.nowMs;
  await pass(clock, [a, b], 60, 5);
  expect(a.hits(downMs, clock.nowMs - 2_000)).toEqual(all(5, 58));
  expect((await b.ask('status', {})).group?.silentMs).toBeGreaterThan(55_000);
  store.down = false;
  await pass(clock, [a, b], 10, 5);
  for (const member of [a, b]) expect(member.hits(BEGIN_MS, clock.nowMs - 5_000)).toEqual(all(10, 95));
});

test('minutes of which only a part of the counts is known teach the leader nothing', async () => {
  const [a, b] = enter('a', 'b') as [Member, Member];
  store.elect('a');
  await pass(clock, [a, b], 1_200, 50);
  const before = await a.predict();
  store.down = true;
  await pass(clock, [a, b], 600, 50);
  store.down = false;
  await pass(clock, [a, b], 70, 50);
  const after = await a.predict();
  expect(before.steps[0]?.mean).toBeCloseTo(100, 0);
  expect(after.steps[0]?.mean).toBeGreaterThan(90);
  expect((await a.ask('anomalies', { offset: 0, limit: 10 })).anomalies).toEqual([]);
});

test('a process that begins anew takes from the group what its history lacks, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-group-'));
  try {
    const [a] = enter('a') as [Member];
    const path = join(folder, 'history.db');
    const b = new Member('b', clock, store, undefined, path);
    store.elect('a');
    await pass(clock, [a, b], 20, 5);
    await b.control.close();
    // What is counted while it is away is there when it is back.
    await pass(clock, [a], 10, 5);
    const again = [
      new Member('b again', clock, store, undefined, path),
      new Member('b elsewhere', clock, store),
    ];
    members.push(...again);
    await pass(clock, [a, ...again], 20, 5);
    const untilMs = BEGIN_MS + 45_000;
    const wanted = [...all(10, 20), ...all(5, 10), ...all(15, 15)];
    for (const member of [a, again[1]]) expect(member?.hits(BEGIN_MS, untilMs)).toEqual(wanted);
    // Of its last moments before it lacks what others had not told yet, rather than to count anything twice.
    const found = again[0]?.hits(BEGIN_MS, untilMs) ?? [];
    expect([...found.slice(0, 18), ...found.slice(20)]).toEqual([
      ...wanted.slice(0, 18),
      ...wanted.slice(20),
    ]);
    for (const hits of found.slice(18, 20)) expect([5, 10]).toContain(hits);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a process that is alone leads, and shows nothing', async () => {
  const alone = new Member('a', clock, undefined);
  members.push(alone);
  await pass(clock, [alone], 130, 5);
  expect(await alone.predict()).toMatchObject({ source: 'model' });
  expect((await alone.ask('status', {})).group).toBeUndefined();
});
