import fc from 'fast-check';
import { sortedInTurns } from '../../src/telemetry/sorted-in-turns';

describe('sorting in turns', () => {
  it.each([0, 1, 2, 999, 1_000, 1_001, 4_321])('sorts %d entries as a stable sort does', async (length) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 97 }),
        async (names, step) => {
          const entries = Array.from({ length }, (_, i) => [`n${(i * step * 7_919) % names}`, i] as const);
          const expected = [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
          expect(await sortedInTurns(entries)).toEqual(expected);
        },
      ),
      { numRuns: 5 },
    );
  });

  it('gives others their turn after every thousand entries', async () => {
    let turns = 0;
    let sorting = true;
    const other = (): void => {
      turns += 1;
      if (sorting) setImmediate(other);
    };
    setImmediate(other);
    await sortedInTurns(Array.from({ length: 20_000 }, (_, i) => [`${(i * 7_919) % 20_000}`] as const));
    sorting = false;
    expect(turns).toBeGreaterThanOrEqual(60);
  });
});
