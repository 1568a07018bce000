import fc from 'fast-check';
import { Waiter } from '../../../src/limiter/queue/line';
import { WaitingRoom } from '../../../src/limiter/queue/waiting-room';

interface Arrival {
  readonly rank: number;
  readonly flow: string;
  readonly weight: number;
  readonly hits: number;
}

const waiter = (name: string, part: Partial<Arrival> = {}, untilMs = 1_000): Waiter<string> =>
  new Waiter(name, part.hits ?? 1, part.rank ?? 2, part.weight ?? 1, part.flow ?? 'f', 0, untilMs);

/** Serves everybody of bucket `k`. @returns in which order. */
function serveAll(room: WaitingRoom<string>): string[] {
  const order: string[] = [];
  for (let line = room.line('k'); line !== undefined; line = room.line('k')) {
    const next = line.take();
    if (next === undefined) throw new Error('a line without a head');
    room.leave(next);
    order.push(next.subject);
  }
  return order;
}

function roomOf(...waiters: readonly Waiter<string>[]): WaitingRoom<string> {
  const room = new WaitingRoom<string>(1_000);
  for (const one of waiters) room.enter('k', one, 1_000, 0);
  return room;
}

describe('the order of those that wait for one bucket', () => {
  test('the more important first, whatever came first', () => {
    const room = roomOf(
      waiter('low', { rank: 3 }),
      waiter('medium', { rank: 2 }),
      waiter('critical', { rank: 0 }),
      waiter('high', { rank: 1 }),
      waiter('critical again', { rank: 0 }),
    );
    expect(serveAll(room)).toEqual(['critical', 'critical again', 'high', 'medium', 'low']);
  });

  test('flows of one rank take turns, and keep their own order', () => {
    const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2'];
    const room = roomOf(...names.map((name) => waiter(name, { flow: name.charAt(0) })));
    expect(serveAll(room)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
  });

  test('a flow of three times the weight is served three times as often', () => {
    const names = Array.from({ length: 12 }, (_, i) => `a${i}`).concat(
      Array.from({ length: 12 }, (_, i) => `b${i}`),
    );
    const room = roomOf(
      ...names.map((name) => waiter(name, { flow: name.charAt(0), weight: name.startsWith('a') ? 3 : 1 })),
    );
    const first = serveAll(room).slice(0, 12);
    expect(first.filter((name) => name.startsWith('a'))).toHaveLength(9);
  });

  test('tokens count, not calls', () => {
    const big = Array.from({ length: 4 }, (_, i) => waiter(`a${i}`, { flow: 'a', hits: 4 }));
    const small = Array.from({ length: 12 }, (_, i) => waiter(`b${i}`, { flow: 'b' }));
    const first = serveAll(roomOf(...big, ...small)).slice(0, 10);
    expect(first.filter((name) => name.startsWith('a'))).toHaveLength(2);
  });

  test('who leaves unserved costs its flow nothing', () => {
    const gone = [waiter('a1', { flow: 'a' }), waiter('a2', { flow: 'a' })];
    const room = roomOf(...gone, waiter('a3', { flow: 'a' }), waiter('b1', { flow: 'b' }));
    for (const one of gone) room.leave(one);
    expect(serveAll(room)).toEqual(['a3', 'b1']);
  });

  test('who is tried in vain is next again', () => {
    const room = roomOf(...['a1', 'a2', 'b1'].map((name) => waiter(name, { flow: name.charAt(0) })));
    const line = room.line('k');
    const tried = [line?.take(), line?.take(), line?.take()];
    for (const one of tried.reverse()) if (one !== undefined) line?.putBack(one);
    expect(serveAll(room)).toEqual(['a1', 'b1', 'a2']);
  });
});

describe('the bounds', () => {
  test('one more than a bucket may have is refused', () => {
    const room = new WaitingRoom<string>(1_000);
    expect(room.enter('k', waiter('a'), 2, 0).waits).toBe(true);
    expect(room.enter('k', waiter('b'), 2, 0).waits).toBe(true);
    expect(room.enter('k', waiter('c'), 2, 0)).toEqual({ waits: false });
    expect(room.enter('other', waiter('d'), 2, 0).waits).toBe(true);
    expect(room.size).toBe(3);
  });

  test('a more important one takes the place of the last of the least important', () => {
    const room = new WaitingRoom<string>(2);
    const last = waiter('low 2', { rank: 3 });
    room.enter('k', waiter('low 1', { rank: 3 }), 9, 0);
    room.enter('k', last, 9, 0);
    expect(room.enter('k', waiter('high', { rank: 1 }), 9, 0)).toEqual({ waits: true, displaced: last });
    expect(room.enter('k', waiter('low 3', { rank: 3 }), 9, 0)).toEqual({ waits: false });
    expect(serveAll(room)).toEqual(['high', 'low 1']);
  });

  test('nothing is left of a bucket that nobody waits for', () => {
    const room = roomOf(waiter('a'));
    expect(room.nextMs()).toBe(0);
    serveAll(room);
    expect(room.line('k')).toBeUndefined();
    expect(room.nextMs()).toBe(Infinity);
  });
});

const arrival = fc.record({
  rank: fc.nat(3),
  flow: fc.constantFrom('a', 'b', 'c', 'd'),
  weight: fc.integer({ min: 1, max: 5 }),
  hits: fc.integer({ min: 1, max: 5 }),
});
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('arrive' as const), arrival }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('serve' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('in vain' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat(50) }) },
);

test('whatever happens: the most important is served, each flow in its order, everybody once, within the bounds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const room = new WaitingRoom<number>(12);
      const waiting = new Map<number, { readonly of: Arrival; readonly waiter: Waiter<number> }>();
      let next = 0;
      const gone: number[] = [];
      for (const one of steps) {
        const line = room.line('k');
        if (one.kind === 'arrive') {
          const { rank, flow, weight, hits } = one.arrival;
          const added = new Waiter(next, hits, rank, weight, flow, 0, 100);
          const { waits, displaced } = room.enter('k', added, 8, 0);
          if (displaced !== undefined) {
            expect(displaced.rank).toBeGreaterThan(rank);
            waiting.delete(displaced.subject);
            gone.push(displaced.subject);
          }
          if (waits) waiting.set(next, { of: one.arrival, waiter: added });
          else gone.push(next);
          next += 1;
        } else if (one.kind === 'leave') {
          const picked = [...waiting.values()][one.which % Math.max(1, waiting.size)];
          if (picked === undefined) continue;
          room.leave(picked.waiter);
          waiting.delete(picked.waiter.subject);
          gone.push(picked.waiter.subject);
        } else {
          const taken = line?.take();
          if (line === undefined || taken === undefined) {
            expect(waiting.size).toBe(0);
            continue;
          }
          const ofIt = waiting.get(taken.subject)?.of;
          for (const [name, { of }] of waiting) {
            expect(of.rank).toBeGreaterThanOrEqual(taken.rank);
            if (of.rank === taken.rank && of.flow === ofIt?.flow)
              expect(name).toBeGreaterThanOrEqual(taken.subject);
          }
          if (one.kind === 'in vain') {
            line.putBack(taken);
            expect(line.head).toBe(taken);
            continue;
          }
          room.leave(taken);
          waiting.delete(taken.subject);
          gone.push(taken.subject);
        }
        expect(room.size).toBe(waiting.size);
        expect(room.size).toBeLessThanOrEqual(8);
      }
      expect(new Set(gone).size).toBe(gone.length);
      expect(gone.length + waiting.size).toBe(next);
    }),
    { numRuns: 400 },
  );
});

test('of flows that always wait, none is served less than its part by more than one call of each', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ weight: fc.integer({ min: 1, max: 5 }), hits: fc.integer({ min: 1, max: 5 }) }), {
        minLength: 2,
        maxLength: 5,
      }),
      fc.integer({ min: 20, max: 200 }),
      (flows, services) => {
        const room = new WaitingRoom<number>(1_000);
        const refill = (at: number): void => {
          const { weight, hits } = flows[at] ?? { weight: 1, hits: 1 };
          room.enter('k', new Waiter(at, hits, 2, weight, `f${at}`, 0, 100), 1_000, 0);
        };
        flows.forEach((_, at) => {
          refill(at);
          refill(at);
        });
        const served = flows.map(() => 0);
        for (let i = 0; i < services; i += 1) {
          const taken = room.line('k')?.take();
          if (taken === undefined) throw new Error('nobody waits');
          room.leave(taken);
          served[taken.subject] = (served[taken.subject] ?? 0) + taken.hits;
          refill(taken.subject);
        }
        // Goyal et al., theorem 1: |Wf / wf - Wm / wm| <= lf / wf + lm / wm over any interval in which both wait.
        flows.forEach((f, i) =>
          flows.forEach((m, j) => {
            const apart = Math.abs((served[i] ?? 0) / f.weight - (served[j] ?? 0) / m.weight);
            expect(apart).toBeLessThanOrEqual(f.hits / f.weight + m.hits / m.weight + 1e-9);
          }),
        );
      },
    ),
  );
});
