/** What every group is held to, whatever it stands on. */
import { MAX_BOARD_BYTES, type GroupLink } from '../../src/core/group';
import { COUNTS, type ObservationBatch } from '../../src/core/observation';
import { until } from '../parts/until';

/** A batch in which `id` counted its sequence. */
export function seen(source: string, sequence: number, id = `${source}.rule`): ObservationBatch {
  return {
    source,
    sequence,
    atMs: 1_800_000_000_000 + sequence * 1_000,
    stepMs: 1_000,
    added: sequence === 1 ? [{ id, kind: 'rule', service: source }] : [],
    classes: [id],
    counts: Float64Array.from(COUNTS, () => sequence),
  };
}

/** Reads until everything awaited of these sources has come; fails on a batch that comes twice. */
export async function readUntil(
  group: GroupLink,
  found: Map<string, number[]>,
  wanted: Readonly<Record<string, number>>,
): Promise<void> {
  await until(`batches ${JSON.stringify(wanted)}`, async () => {
    for (const { source, sequence } of await group.collect()) {
      const sequences = found.get(source) ?? [];
      if (sequences.includes(sequence)) throw new Error(`${source} ${sequence} came twice`);
      found.set(source, [...sequences, sequence]);
    }
    return Object.entries(wanted).every(([source, last]) => found.get(source)?.at(-1) === last);
  });
}

/** 1 to n. */
export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

/** @param make a group of one, named `a`; not started. */
export function describeGroup(make: () => GroupLink): void {
  let group: GroupLink;
  beforeEach(() => (group = make()));
  afterEach(() => group.close());

  test('leads when it is alone, with an epoch, and no more when it is closed', async () => {
    expect(group.role().leader).toBe(false);
    group.start();
    await until('it leads', () => group.role().leader);
    expect(group.role().epoch).toBeGreaterThan(0);
    expect(group.members().map(({ source }) => source)).toEqual(['a']);
    await group.close();
    expect(group.role().leader).toBe(false);
  });

  test('gives every batch once, as it was, in order', async () => {
    group.start();
    for (const sequence of upTo(5)) group.publish(seen('a', sequence));
    const found = new Map<string, number[]>();
    await readUntil(group, found, { a: 5 });
    expect(found.get('a')).toEqual(upTo(5));
    const sent = seen('a', 6);
    group.publish(sent);
    const [batch] = await until('the next', async () => {
      const batches = await group.collect();
      return batches.length > 0 && batches;
    });
    expect(batch).toEqual(sent);
    expect(await group.collect()).toEqual([]);
  });

  test('shows a board as its leader alone, within bounds', async () => {
    expect(await group.show(Uint8Array.of(1))).toBe(false);
    group.start();
    await until('it leads', () => group.role().leader);
    expect(await group.show(new Uint8Array(MAX_BOARD_BYTES + 1))).toBe(false);
    expect(await group.show(Uint8Array.of(0, 255, 13, 10))).toBe(true);
    const board = await group.board();
    expect(board?.epoch).toBe(group.role().epoch);
    expect([...(board?.bytes ?? [])]).toEqual([0, 255, 13, 10]);
  });
}
