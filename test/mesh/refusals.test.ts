/** Clients that refuse whatever they are sent, or that had resources before the stream began. */
import v8 from 'node:v8';
import vm from 'node:vm';
import { DeltaStream } from '../../src/mesh/delta-stream';
import { ROUTE_TYPE } from '../../src/mesh/resource-types';
import { SotwStream } from '../../src/mesh/sotw-stream';
import { clipped, type StreamResponse } from '../../src/mesh/stream-state';
import { snapshot } from './resources';

interface Client {
  /** The first request; `has`: whether the client has resources from before. */
  begin(has: boolean): void;
  answer(response: StreamResponse, nowMs: number, error?: string): void;
  update(text: string): void;
  pull(nowMs: number, holding?: boolean): StreamResponse | undefined;
}

const CLIENTS: readonly (readonly [string, (first: string) => Client])[] = [
  [
    'state of the world',
    (first) => {
      const stream = new SotwStream(snapshot(first));
      const names = ['a'];
      return {
        begin: (has) =>
          void stream.request({ typeUrl: ROUTE_TYPE, names, nonce: '', ...(has ? { version: 'v' } : {}) }, 0),
        answer: ({ nonce }, nowMs, error) =>
          void stream.request(
            { typeUrl: ROUTE_TYPE, names, nonce, ...(error === undefined ? {} : { error }) },
            nowMs,
          ),
        update: (text) => stream.update(snapshot(text)),
        pull: (nowMs, holding) => stream.pull(nowMs, holding),
      };
    },
  ],
  [
    'delta',
    (first) => {
      const stream = new DeltaStream(snapshot(first));
      const ask = { typeUrl: ROUTE_TYPE, unsubscribe: [], initialVersions: {} };
      return {
        begin: (has) =>
          void stream.request(
            { ...ask, subscribe: ['a'], nonce: '', ...(has ? { initialVersions: { a: 'v' } } : {}) },
            0,
          ),
        answer: ({ nonce }, nowMs, error) =>
          void stream.request(
            { ...ask, subscribe: [], nonce, ...(error === undefined ? {} : { error }) },
            nowMs,
          ),
        update: (text) => stream.update(snapshot(text)),
        pull: (nowMs, holding) => stream.pull(nowMs, holding),
      };
    },
  ],
];

describe.each(CLIENTS)('%s', (_name, make) => {
  test('who refuses each of ten versions a second is sent one a second, the newest, and all once it accepts', () => {
    const client = make('R:a0');
    client.begin(false);
    let sent = 0;
    let content = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 100) {
      content += 1;
      client.update(`R:a${content}`);
      const response = client.pull(nowMs);
      if (response === undefined) continue;
      sent += 1;
      expect(response.resources[0]?.version).toBe(
        snapshot(`R:a${content}`).get(ROUTE_TYPE)?.resources.get('a')?.version,
      );
      client.answer(response, nowMs, 'no');
    }
    expect(sent).toBeGreaterThanOrEqual(10);
    expect(sent).toBeLessThanOrEqual(13);
    const taken = client.pull(20_000);
    if (taken === undefined) throw new Error('the newest version is owed');
    client.answer(taken, 20_000);
    for (let nowMs = 20_100; nowMs < 21_000; nowMs += 100) {
      content += 1;
      client.update(`R:a${content}`);
      const response = client.pull(nowMs);
      if (response === undefined) throw new Error('who accepts is sent each version');
      client.answer(response, nowMs);
    }
  });

  test('who had resources before keeps them while it is to; who had none is served', () => {
    const held = make('R:a1');
    held.begin(true);
    expect(held.pull(0, true)).toBeUndefined();
    held.update('R:a2');
    expect(held.pull(60_000, true)).toBeUndefined();
    expect(held.pull(60_000)?.resources).toHaveLength(1);
    const anew = make('R:a1');
    anew.begin(false);
    expect(anew.pull(0, true)?.resources).toHaveLength(1);
  });
});

test('the beginning of a long text does not keep all of it in memory', () => {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  const made = (): string => clipped(Buffer.alloc(1_000_000, 'x').toString('latin1'), 2_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: 100 }, made);
  collect();
  expect(kept[99]).toHaveLength(2_000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
});
