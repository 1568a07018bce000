/** Random requests and responses. */
import fc from 'fast-check';
import {
  MAX_UINT32,
  type JsonObject,
  type JsonValue,
  type RlsDescriptor,
  type RlsRequest,
  type RlsResponse,
  type RlsStatus,
} from '../../src/core/rls';

const uint32 = fc.oneof(fc.constant(0), fc.nat(200), fc.integer({ min: 0, max: MAX_UINT32 }));
const text = fc.oneof(
  fc.constant(''),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
);

export const descriptors: fc.Arbitrary<RlsDescriptor> = fc.record(
  {
    entries: fc.array(fc.record({ key: text, value: text }), { maxLength: 6 }),
    negativeHits: fc.boolean(),
    limit: fc.record({ requestsPerUnit: uint32, unit: fc.integer({ min: 0, max: 7 }) }),
    hitsAddend: fc.oneof(uint32, fc.maxSafeNat()),
  },
  { requiredKeys: ['entries', 'negativeHits'] },
);

export const requests: fc.Arbitrary<RlsRequest> = fc.record({
  domain: text,
  descriptors: fc.array(descriptors, { maxLength: 6 }),
  hitsAddend: uint32,
});

const json = fc.letrec<{ value: JsonValue; struct: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('struct'),
  ),
  struct: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    tie('value'),
    { maxKeys: 4, noNullPrototype: true },
  ),
}));

const statuses: fc.Arbitrary<RlsStatus> = fc.record(
  {
    code: fc.constantFrom(0 as const, 1 as const, 2 as const),
    limitRemaining: uint32,
    currentLimit: fc.record({
      name: text,
      requestsPerUnit: uint32,
      unit: fc.integer({ min: 0, max: 7 }),
    }),
    durationUntilResetS: fc.oneof(fc.nat(100_000), fc.nat(31_536_000)),
  },
  { requiredKeys: ['code', 'limitRemaining'] },
);

export const responses: fc.Arbitrary<RlsResponse> = fc.record(
  {
    overallCode: fc.constantFrom(0 as const, 1 as const, 2 as const),
    statuses: fc.array(statuses, { maxLength: 6 }),
    responseHeadersToAdd: fc.array(fc.record({ key: text, value: text }), { maxLength: 4 }),
    dynamicMetadata: json.struct,
  },
  { requiredKeys: ['overallCode', 'statuses', 'responseHeadersToAdd'] },
);
