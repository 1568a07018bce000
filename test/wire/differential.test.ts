/** Our codec and protobufjs say the same, both ways. */
import fc from 'fast-check';
import type { JsonObject, JsonValue, RlsDescriptor, RlsRequest, RlsResponse } from '../../src/core/rls';
import {
  decodeHealthCheckRequest,
  decodeHealthCheckResponse,
  decodeRateLimitRequest,
  decodeRateLimitResponse,
  encodeHealthCheckRequest,
  encodeHealthCheckResponse,
  encodeRateLimitRequest,
  encodeRateLimitResponse,
} from '../../src/wire';
import { requests, responses } from './arbitraries';
import { healthCheck, shouldRateLimit } from './protobufjs-codec';

const bytes = (buffer: Uint8Array): Buffer =>
  Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength);

function descriptorForPeer(descriptor: RlsDescriptor): object {
  return {
    entries: descriptor.entries,
    limit: descriptor.limit ?? null,
    hitsAddend: descriptor.hitsAddend === undefined ? null : { value: String(descriptor.hitsAddend) },
    isNegativeHits: descriptor.negativeHits,
  };
}

function requestForPeer(request: RlsRequest): object {
  return { ...request, descriptors: request.descriptors.map(descriptorForPeer) };
}

function valueForPeer(value: JsonValue): object {
  if (value === null) return { kind: 'nullValue', nullValue: 0 };
  if (typeof value === 'number') return { kind: 'numberValue', numberValue: value };
  if (typeof value === 'string') return { kind: 'stringValue', stringValue: value };
  if (typeof value === 'boolean') return { kind: 'boolValue', boolValue: value };
  if (Array.isArray(value)) {
    return { kind: 'listValue', listValue: { values: (value as JsonValue[]).map(valueForPeer) } };
  }
  return { kind: 'structValue', structValue: structForPeer(value as JsonObject) };
}

function structForPeer(struct: JsonObject): object {
  return {
    fields: Object.fromEntries(Object.entries(struct).map(([key, value]) => [key, valueForPeer(value)])),
  };
}

function responseForPeer(response: RlsResponse): object {
  return {
    overallCode: response.overallCode,
    statuses: response.statuses.map((status) => ({
      code: status.code,
      limitRemaining: status.limitRemaining,
      currentLimit: status.currentLimit ?? null,
      durationUntilReset:
        status.durationUntilResetS === undefined
          ? null
          : { seconds: String(status.durationUntilResetS), nanos: 0 },
    })),
    responseHeadersToAdd: response.responseHeadersToAdd,
    dynamicMetadata: response.dynamicMetadata === undefined ? null : structForPeer(response.dynamicMetadata),
  };
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a request', () => {
  it('that protobufjs wrote is read as it was meant', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const written = shouldRateLimit.requestSerialize(requestForPeer(request));
        expect(decodeRateLimitRequest(written)).toEqual(request);
      }),
      { numRuns: 500 },
    );
  });

  it('that we wrote is read by protobufjs as it was meant', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const read = shouldRateLimit.requestDeserialize(bytes(encodeRateLimitRequest(request)));
        expect(plain(read)).toEqual(plain(requestForPeer(request)));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a response', () => {
  it('that we wrote is read by protobufjs as it was meant', () => {
    fc.assert(
      fc.property(responses, (response) => {
        const read = shouldRateLimit.responseDeserialize(bytes(encodeRateLimitResponse(response)));
        expect(plain(read)).toEqual(plain(responseForPeer(response)));
      }),
      { numRuns: 500 },
    );
  });

  it('that protobufjs wrote is read as it was meant', () => {
    fc.assert(
      fc.property(responses, (response) => {
        const written = shouldRateLimit.responseSerialize(responseForPeer(response));
        expect(plain(decodeRateLimitResponse(written))).toEqual(plain(response));
      }),
      { numRuns: 500 },
    );
  });

  it('of every size is framed right where lengths take another byte', () => {
    for (const length of [1, 126, 127, 128, 129, 16_381, 16_383, 16_384, 20_000, 2_097_152]) {
      const response: RlsResponse = {
        overallCode: 1,
        statuses: [],
        responseHeadersToAdd: [{ key: 'k', value: 'v'.repeat(length) }],
      };
      const written = encodeRateLimitResponse(response);
      expect(decodeRateLimitResponse(written).responseHeadersToAdd[0]!.value).toHaveLength(length);
      expect(shouldRateLimit.responseSerialize(responseForPeer(response)).equals(written)).toBe(true);
    }
  });

  it('clamps what its fields cannot carry', () => {
    const written = encodeRateLimitResponse({
      overallCode: 2,
      statuses: [
        { code: 2, limitRemaining: -1, durationUntilResetS: Infinity },
        { code: 1, limitRemaining: 2 ** 40, durationUntilResetS: 1.9 },
        { code: 1, limitRemaining: NaN, durationUntilResetS: -3 },
      ],
      responseHeadersToAdd: [],
    });
    expect(decodeRateLimitResponse(written).statuses).toEqual([
      { code: 2, limitRemaining: 0, durationUntilResetS: 315_576_000_000 },
      { code: 1, limitRemaining: 0xffff_ffff, durationUntilResetS: 1 },
      { code: 1, limitRemaining: 0, durationUntilResetS: 0 },
    ]);
  });
});

describe('a health check', () => {
  it.each(['', 'ratelimit', 'envoy.service.ratelimit.v3.RateLimitService', 'ünïcode'])(
    'of %p reads and writes as with protobufjs',
    (service) => {
      expect(healthCheck.requestDeserialize(bytes(encodeHealthCheckRequest(service)))).toEqual({ service });
      expect(decodeHealthCheckRequest(healthCheck.requestSerialize({ service }))).toBe(service);
    },
  );

  it.each([
    [true, 1],
    [false, 2],
  ])('answers %p as status %i', (serving, status) => {
    const written = encodeHealthCheckResponse(serving);
    expect(healthCheck.responseDeserialize(bytes(written))).toEqual({ status });
    expect(decodeHealthCheckResponse(written)).toBe(status);
  });
});
