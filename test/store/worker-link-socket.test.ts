/** Links over sockets, as between processes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TidegateError } from '../../src/core/errors';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { LinkChannel } from '../../src/store/worker-link/link-channel';
import { LinkServer, SharedParams } from '../../src/store/worker-link/link-server';
import { LinkStore } from '../../src/store/worker-link/link-store';
import { until } from '../parts/until';
import { askOne, call, daily, request } from './contract-form';
import { SimulatedClock } from './simulated-clock';

let folder: string;
let listener: Server;
let near: Socket;
let far: Socket;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-link-'));
  const accepted = new Promise<Socket>((resolve) => {
    listener = createServer(resolve);
  });
  const path = join(folder, 'link');
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  near = connect(path);
  far = await accepted;
});
afterEach(async () => {
  near.destroy();
  far.destroy();
  await new Promise((resolve) => listener.close(resolve));
  await rm(folder, { recursive: true });
});

/** A worker's end at `near`, and what became of it. */
function worker(): { readonly link: LinkStore; readonly ends: (TidegateError | undefined)[] } {
  const ends: (TidegateError | undefined)[] = [];
  const channel = new LinkChannel(near);
  const link = new LinkStore({ output: channel, nowMs: () => performance.now() });
  channel.attach({
    receive: (chunk) => link.receive(chunk),
    ended: (error) => {
      ends.push(error);
      link.lost();
    },
  });
  return { link, ends };
}

/** The primary's end at `far`, and what became of it. */
function primary(): { readonly store: MemoryStore; readonly ends: (TidegateError | undefined)[] } {
  const ends: (TidegateError | undefined)[] = [];
  const store = new MemoryStore({ clock: new SimulatedClock() });
  const channel = new LinkChannel(far);
  const server = new LinkServer(store, new SharedParams(), channel);
  channel.attach({ receive: (chunk) => server.receive(chunk), ended: (error) => ends.push(error) });
  return { store, ends };
}

test('answers all of many long asks at once, in their order', async () => {
  const { store } = primary();
  const { link } = worker();
  const params = daily('token_bucket', 10_000);
  const keys = Array.from({ length: 3_000 }, (_, i) => `${'key '.repeat(i % 500)}${i % 750}`);
  const answers = await Promise.all(
    keys.map((key, i) => Promise.resolve(link.decide(request([call(key, params, 1 + (i % 3))])))),
  );
  const alone = new MemoryStore({ clock: new SimulatedClock() });
  expect(answers).toEqual(keys.map((key, i) => alone.decide(request([call(key, params, 1 + (i % 3))]))));
  expect(store.stats()).toEqual(alone.stats());
  await link.close();
});

test('a link ends for both when one brings what makes no sense, and what waits fails at once', async () => {
  const end = primary();
  const { link, ends } = worker();
  const params = daily('token_bucket', 10);
  await askOne(link, call('k', params, 1));
  near.write(Buffer.alloc(64, 0xff));
  const [waiting] = await link.decide(request([call('k', params, 1)], { deadlineMs: 60_000 }));
  expect(waiting).toMatchObject({ code: 'TG_STORE_UNAVAILABLE' });
  await until('both know', () => end.ends.length + ends.length === 2);
  expect(end.ends[0]).toMatchObject({ code: 'TG_INTERNAL' });
  expect(ends[0]).toBeUndefined();
  expect(link.ready()).toBe(false);
  expect(await link.decide(request([call('k', params, 1)]))).toMatchObject([
    { code: 'TG_STORE_UNAVAILABLE' },
  ]);
});

test('a worker that finds no sense in an answer says so', async () => {
  const { link, ends } = worker();
  far.write(Buffer.alloc(64, 0xff));
  await until('it knows', () => ends.length === 1);
  expect(ends[0]).toMatchObject({ code: 'TG_INTERNAL' });
  expect(link.ready()).toBe(false);
});

test('a side that does not read is given up, and bounds what waits for it', async () => {
  const channel = new LinkChannel(near);
  const ends: (TidegateError | undefined)[] = [];
  channel.attach({ receive: () => undefined, ended: (error) => ends.push(error) });
  const frame = Buffer.alloc(2 ** 20);
  const sent = Array.from({ length: 100 }, () => channel.send(frame));
  expect(sent.filter((one) => one !== 'gone').length).toBeLessThan(70);
  await until('it is given up', () => ends.length === 1);
  expect(ends[0]?.message).toContain('does not read');
});

test('a worker asks nothing while the primary has much to read', async () => {
  let unsentBytes = 2 ** 24 + 1;
  const output = {
    get unsentBytes() {
      return unsentBytes;
    },
    send: () => 'done' as const,
  };
  const link = new LinkStore({ output, nowMs: () => performance.now() });
  const one = request([call('k', daily('token_bucket', 10), 1)]);
  expect(link.decide(one)).toMatchObject([{ code: 'TG_STORE_UNAVAILABLE' }]);
  unsentBytes = 0;
  const waiting = link.decide(one);
  await link.close();
  expect(await waiting).toMatchObject([{ code: 'TG_STORE_UNAVAILABLE' }]);
});

test('an end that stops in the midst of a frame does no harm', async () => {
  const end = primary();
  near.write(Buffer.from(Float64Array.of(100, 2, 0).buffer));
  near.end();
  await until('it has ended', () => end.ends.length === 1);
  expect(end.ends).toEqual([undefined]);
  expect(end.store.ready()).toBe(true);
});
