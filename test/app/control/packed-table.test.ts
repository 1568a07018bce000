/** Tables on their way to those who decide. */
import fc from 'fast-check';
import { packTable, unpackTable } from '../../../src/app/control/packed-table';
import type { PoolTable } from '../../../src/core/control';

const lendersArb = fc.array(fc.record({ bucketKey: fc.string(), keep: fc.nat() }), { maxLength: 3 });

test('arrive as they were, but for what is the leader’s, and lenders that are shared are one object', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          ...{ id: fc.string(), ruleId: fc.string(), bucketKey: fc.string() },
          ...{ ratePerS: fc.double(), capacity: fc.nat(), lenders: lendersArb },
        }),
      ),
      lendersArb,
      (rows, shared) => {
        const buckets = rows.flatMap((row) => [row, { ...row, lenders: shared }]);
        const table: PoolTable = {
          ...{ pool: 'p', epoch: 1, sequence: 2, version: 3, madeAtMs: 4, lifeMs: 5, decayMs: 6 },
          ...{ mode: 'active', state: 'secret', buckets },
        };
        const told = unpackTable(structuredClone(packTable(table)));
        expect(told).toEqual({ ...table, state: '' });
        expect(new Set(told.buckets.map(({ lenders }) => lenders)).size).toBeLessThanOrEqual(rows.length + 1);
      },
    ),
  );
});
