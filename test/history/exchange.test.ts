/** What goes out to InfluxDB and what comes in by backfill: bounded, exact, and never in the way. */
import { TidegateError } from '../../src/core/errors';
import type { ClassInfo } from '../../src/core/observation';
import { backfill, type BackfillQuery, influxSource, prometheusSource } from '../../src/history/backfill';
import { InfluxWriter } from '../../src/history/influx-writer';
import { influxLine } from '../../src/history/line-protocol';
import type { WriteFailure } from '../../src/remote/influx-client';
import type { FilledStep } from '../../src/series/series-store';

describe('a line', () => {
  test.each([
    ['plain', { class: 'a' }, { x: 1, y: 2.5 }, 'm,class=a x=1,y=2.5 7'],
    ['special characters', { 'c d': 'a=b, c' }, { x: 1 }, 'm,c\\ d=a\\=b\\,\\ c x=1 7'],
    ['line breaks', { class: 'a\nb x=9 1' }, { x: 1 }, 'm,class=a\\ b\\ x\\=9\\ 1 x=1 7'],
    ['a backslash at the end', { class: 'a\\' }, { x: 1 }, 'm,class=a x=1 7'],
    [
      'a backslash before a special character',
      { class: 'a\\,class=b\\\\ c' },
      { x: 1 },
      'm,class=a\\,class\\=b\\ c x=1 7',
    ],
    ['a value that ends as a tag without one', { class: 'a=' }, { x: 1 }, 'm,class=a\\= x=1 7'],
    ['tags without a value', { class: '', service: undefined }, { x: 1 }, 'm x=1 7'],
    ['figures that are none', { class: 'a' }, { x: NaN, y: Infinity, z: 0 }, 'm,class=a z=0 7'],
    ['no figure at all', { class: 'a' }, { x: NaN }, undefined],
  ])('with %s', (_name, tags, fields, expected) => {
    expect(influxLine('m', tags, fields, 7)).toBe(expected);
  });
});

describe('the writer', () => {
  function writing(answers: (WriteFailure | undefined)[]) {
    const bodies: string[] = [];
    const states: (string | undefined)[] = [];
    const client = {
      write: (lines: string) => {
        bodies.push(lines);
        return Promise.resolve(answers.shift());
      },
    };
    const writer = new InfluxWriter({
      client,
      compress: false,
      queueMax: 5,
      batchLines: 2,
      onState: (error) => states.push(error?.code),
    });
    const turn = async (nowMs: number): Promise<void> => {
      writer.turn(nowMs);
      await writer.settled();
    };
    return { writer, bodies, states, turn };
  }
  const failure = (again: boolean, retryAfterMs?: number): WriteFailure => ({
    error: new TidegateError('TG_SOURCE_UNAVAILABLE', 'x'),
    again,
    retryAfterMs,
  });

  test('sends in batches, in order', async () => {
    const { writer, bodies, turn } = writing([]);
    writer.push(['a', 'b', 'c']);
    await turn(0);
    await turn(0);
    await turn(0);
    expect(bodies).toEqual(['a\nb\n', 'c\n']);
  });

  test('waits longer after each failure, loses nothing meanwhile, and says so once', async () => {
    const { writer, bodies, states, turn } = writing([failure(true), failure(true), undefined]);
    writer.push(['a', 'b']);
    for (const nowMs of [0, 999, 1_000, 2_999, 3_000, 3_001]) await turn(nowMs);
    expect(bodies).toHaveLength(3);
    expect(states).toEqual(['TG_SOURCE_UNAVAILABLE', undefined]);
    expect(writer.totals).toEqual({ written: 2, refused: 0, dropped: 0 });
  });

  test('waits as long as it is asked to, a minute at most; a clock that steps back does not stop it', async () => {
    const { writer, bodies, turn } = writing([failure(true, 30_000), failure(true, 1e9)]);
    writer.push(['a']);
    for (const nowMs of [0, 29_999, 30_000, 89_999]) await turn(nowMs);
    expect(bodies).toHaveLength(2);
    await turn(-1e9);
    expect(bodies).toHaveLength(3);
  });

  test('drops the oldest when the queue is full', async () => {
    const { writer, bodies, turn } = writing([failure(true)]);
    writer.push(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect([writer.waiting, writer.totals.dropped]).toEqual([5, 2]);
    await turn(0);
    await turn(1_000);
    expect(bodies).toEqual(['c\nd\n', 'c\nd\n']);
  });

  test('has one batch under way at most', async () => {
    const { writer, bodies, turn } = writing([]);
    writer.push(['a', 'b', 'c']);
    writer.turn(0);
    await turn(0);
    expect(bodies).toHaveLength(1);
  });
});

describe('backfill', () => {
  const info: ClassInfo = { id: 'a', kind: 'rule' };
  const at = (minute: number): number => minute * 60_000;
  const range = { fromMs: at(0), toMs: at(3), stepMs: 60_000 } as const;
  const collect = () => {
    const filled: [string, readonly FilledStep[]][] = [];
    return {
      filled,
      history: {
        fill: (one: ClassInfo, _stepMs: number, steps: readonly FilledStep[]) => {
          filled.push([one.id, steps]);
          return steps.length;
        },
      },
    };
  };
  const source = (byQuery: Record<string, readonly (readonly [number, number])[]>) => (query: string) => {
    const points = byQuery[query];
    if (points === undefined) return Promise.reject(new TidegateError('TG_SOURCE_TIMEOUT', 'slow'));
    return Promise.resolve([{ labels: {}, points: points.map(([atMs, value]) => ({ atMs, value })) }]);
  };
  const query = (figure: BackfillQuery['figure'], text: string, one = info): BackfillQuery => ({
    class: one,
    figure,
    query: text,
  });

  test('joins the counts of a class; the others follow; points outside the range and negative rows are left out', async () => {
    const { filled, history } = collect();
    const answers = {
      x: [
        [at(0), 10],
        [at(1), 20],
        [at(1) + 30_000, 5],
        [at(3), 99],
        [at(-1), 99],
        [at(2), -1],
      ] as const,
      y: [[at(0), 4]] as const,
    };
    const results = await backfill(
      history,
      source(answers),
      [query('arrivals', 'x'), query('denied', 'y')],
      range,
      () => 0,
    );
    expect(filled).toEqual([
      [
        'a',
        [
          { atMs: at(0), row: [10, 6, 4, 0, 10] },
          { atMs: at(1), row: [25, 25, 0, 0, 25] },
        ],
      ],
    ]);
    expect(results).toEqual([{ classId: 'a', found: 2, filled: 2 }]);
  });

  test('that fails leaves the class as it was, and those before filled', async () => {
    const { filled, history } = collect();
    const queries = [
      query('hits', 'x', { id: 'first', kind: 'rule' }),
      query('arrivals', 'x'),
      query('denied', 'fails'),
    ];
    await expect(backfill(history, source({ x: [[0, 1]] }), queries, range, () => 0)).rejects.toMatchObject({
      code: 'TG_SOURCE_TIMEOUT',
    });
    expect(filled.map(([id]) => id)).toEqual(['first']);
  });

  test('asks Prometheus for the ends of the steps and InfluxDB for their beginnings', async () => {
    const calls: unknown[] = [];
    await prometheusSource({
      queryRange: (...args) => {
        calls.push(args);
        return Promise.resolve([]);
      },
    })('q', at(0), at(3), 60_000);
    await influxSource({
      query: (text) => {
        calls.push(text);
        return Promise.resolve([]);
      },
    })('$fromms $toms time($step) $from', at(1), at(3), 60_000);
    expect(calls).toEqual([['q', at(1), at(3), 60_000], '60000ms 180000ms time(60s) 60000']);
  });

  test('an empty range asks nothing', async () => {
    const { filled, history } = collect();
    const results = await backfill(history, source({}), [query('hits', 'x')], { ...range, toMs: 0 }, () => 0);
    expect([filled, results]).toEqual([[], [{ classId: 'a', found: 0, filled: 0 }]]);
  });
});
