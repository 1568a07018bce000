/** Answers that are written over each other are, byte for byte, those that are written on their own. */
import fc from 'fast-check';
import { MAX_UINT32, RlsCode, type RlsCurrentLimit, type RlsResponse } from '../../src/core/rls';
import { AnswerBytes, encodeRateLimitResponse } from '../../src/wire';
import { responses } from './arbitraries';

/** What an answer to one limited descriptor depends on. */
interface OfLimit {
  readonly overallCode: RlsCode;
  readonly code: RlsCode;
  readonly limit: RlsCurrentLimit;
  readonly remaining: number;
  readonly resetS: number;
}

const figure = fc.oneof(
  fc.constantFrom(0, 127, 128, 16_383, 16_384, MAX_UINT32, MAX_UINT32 + 1, -1, 0.5, Infinity, 3e11, 4e11),
  fc.nat(300),
  fc.nat(),
);
const code = fc.constantFrom<RlsCode>(RlsCode.UNKNOWN, RlsCode.OK, RlsCode.OVER_LIMIT);
const name = fc.oneof(
  fc.constant(''),
  fc.string({ maxLength: 20 }),
  fc.string({ minLength: 80, maxLength: 200 }),
);
const limit = fc.record({ name, requestsPerUnit: fc.nat({ max: MAX_UINT32 }), unit: fc.nat(7) });

const written = ({ overallCode, code: its, limit: currentLimit, remaining, resetS }: OfLimit): Buffer =>
  Buffer.from(
    encodeRateLimitResponse({
      overallCode,
      statuses: [{ code: its, currentLimit, limitRemaining: remaining, durationUntilResetS: resetS }],
      responseHeadersToAdd: [],
    }),
  );

describe('answers in bytes that are used again', () => {
  it('are those that are written on their own, whatever was written before', () => {
    // A few limits only, so that each is often the one of the answer before.
    const sequence = fc.array(limit, { minLength: 1, maxLength: 3 }).chain((limits) =>
      fc.array(
        fc.oneof(
          fc.record({
            overallCode: code,
            code,
            limit: fc.constantFrom(...limits),
            remaining: figure,
            resetS: figure,
          }),
          responses,
        ),
        { maxLength: 30 },
      ),
    );
    fc.assert(
      fc.property(sequence, (asked: (OfLimit | RlsResponse)[]) => {
        const bytes = new AnswerBytes();
        for (const one of asked) {
          if ('statuses' in one) {
            expect(Buffer.from(bytes.whole(one))).toEqual(Buffer.from(encodeRateLimitResponse(one)));
            continue;
          }
          const { overallCode, code: its, limit: of, remaining, resetS } = one;
          expect(Buffer.from(bytes.ofLimit(overallCode, its, of, remaining, resetS))).toEqual(written(one));
        }
      }),
    );
  });

  it('make no object where the length is the same', () => {
    const bytes = new AnswerBytes();
    const of = { name: '', requestsPerUnit: 1_000, unit: 2 };
    const first = bytes.ofLimit(RlsCode.OK, RlsCode.OK, of, 900, 10);
    expect(bytes.ofLimit(RlsCode.OK, RlsCode.OK, of, 899, 11)).toBe(first);
  });
});
