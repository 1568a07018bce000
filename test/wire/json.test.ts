/** The JSON form of requests and responses. */
import fc from 'fast-check';
import { TidegateError } from '../../src/core/errors';
import type { JsonObject, RlsDescriptor, RlsRequest, RlsResponse } from '../../src/core/rls';
import { requestFromJson, responseToJson } from '../../src/wire';
import { requests } from './arbitraries';

const bare = { entries: [], negativeHits: false };

describe('requestFromJson', () => {
  const accepted: [string, unknown, Partial<RlsRequest>][] = [
    ['an empty object', {}, {}],
    ['nulls as absent', { domain: null, descriptors: null, hitsAddend: null }, {}],
    ['lowerCamelCase', { domain: 'd', hitsAddend: 3 }, { domain: 'd', hitsAddend: 3 }],
    ['the names of the .proto file', { hits_addend: 3 }, { hitsAddend: 3 }],
    ['numbers as strings', { hitsAddend: '4294967295' }, { hitsAddend: 0xffff_ffff }],
    ['whole numbers in any notation', { hitsAddend: '1.5e1' }, { hitsAddend: 15 }],
    [
      'entries',
      { descriptors: [{ entries: [{ key: 'k' }, { key: 'a', value: 'b' }] }] },
      {
        descriptors: [
          {
            ...bare,
            entries: [
              { key: 'k', value: '' },
              { key: 'a', value: 'b' },
            ],
          },
        ],
      },
    ],
    [
      'an override by unit name',
      { descriptors: [{ limit: { requestsPerUnit: 7, unit: 'MINUTE' } }] },
      { descriptors: [{ ...bare, limit: { requestsPerUnit: 7, unit: 2 } }] },
    ],
    [
      'an override by unit number',
      { descriptors: [{ limit: { requests_per_unit: 7, unit: 99 } }] },
      { descriptors: [{ ...bare, limit: { requestsPerUnit: 7, unit: 99 } }] },
    ],
    [
      'a peek and a refund',
      { descriptors: [{ hitsAddend: '0' }, { hits_addend: 2, isNegativeHits: true }] },
      {
        descriptors: [
          { ...bare, hitsAddend: 0 },
          { ...bare, hitsAddend: 2, negativeHits: true },
        ],
      },
    ],
    [
      'the largest uint64, as the largest whole number',
      { descriptors: [{ hitsAddend: '18446744073709551615' }] },
      { descriptors: [{ ...bare, hitsAddend: Number.MAX_SAFE_INTEGER }] },
    ],
  ];
  it.each(accepted)('reads %s', (_name, json, request) => {
    expect(requestFromJson(json)).toEqual({ domain: '', descriptors: [], hitsAddend: 0, ...request });
  });

  const refused: [string, unknown, string, RegExp][] = [
    ['a list', [], '(the body)', /expected an object, found a list/],
    ['null', null, '(the body)', /expected an object, found null/],
    ['an unknown field', { domian: 'd' }, 'domian', /no such field/],
    [
      'an unknown field deep down',
      { descriptors: [{}, { entries: [{ key: 'k', vlaue: '' }] }] },
      'descriptors[1].entries[0].vlaue',
      /no such field/,
    ],
    ['a field under both names', { hitsAddend: 1, hits_addend: 1 }, 'hits_addend', /twice/],
    ['a field of Object', { ['__proto__x']: 1 }, '__proto__x', /no such field/],
    ['a number for text', { domain: 5 }, 'domain', /expected a string, found 5/],
    ['half a character', { domain: '\ud800' }, 'domain', /not valid Unicode/],
    ['text for a list', { descriptors: 'x' }, 'descriptors', /expected a list/],
    ['null in a list', { descriptors: [null] }, 'descriptors[0]', /expected an object, found null/],
    ['a fraction', { hitsAddend: 1.5 }, 'hits_addend', /whole number from 0 to 4294967295, found 1.5/],
    ['a negative number', { hitsAddend: -1 }, 'hits_addend', /whole number/],
    ['more than 32 bits', { hitsAddend: 4294967296 }, 'hits_addend', /whole number/],
    ['digits without end', { hitsAddend: '9'.repeat(100_000) }, 'hits_addend', /whole number/],
    ['a power without end', { hitsAddend: '1e999999' }, 'hits_addend', /whole number/],
    ['hexadecimal', { hitsAddend: '0x10' }, 'hits_addend', /whole number/],
    [
      'more than 64 bits',
      { descriptors: [{ hitsAddend: '18446744073709551616' }] },
      'descriptors[0].hits_addend',
      /whole number/,
    ],
    [
      'a unit that is none',
      { descriptors: [{ limit: { unit: 'FORTNIGHT' } }] },
      'descriptors[0].limit.unit',
      /expected one of UNKNOWN, SECOND/,
    ],
    [
      'a word for a flag',
      { descriptors: [{ isNegativeHits: 'yes' }] },
      'descriptors[0].is_negative_hits',
      /true or false/,
    ],
  ];
  it.each(refused)('refuses %s', (_name, json, key, message) => {
    let thrown: unknown;
    try {
      requestFromJson(json);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TidegateError);
    const error = thrown as TidegateError;
    expect([error.code, error.at?.key]).toEqual(['TG_REQUEST_BAD_JSON', key]);
    expect(error.message).toMatch(message);
  });

  it('keeps to the bounds', () => {
    const bounds = { maxMessageBytes: 1_000, maxDescriptors: 1, maxEntries: 1 };
    const code = (json: unknown): unknown => {
      try {
        return requestFromJson(json, bounds);
      } catch (error) {
        return (error as TidegateError).code;
      }
    };
    expect(code({ descriptors: [{}, {}] })).toBe('TG_REQUEST_TOO_LARGE');
    expect(code({ descriptors: [{ entries: [{}, {}] }] })).toBe('TG_REQUEST_TOO_LARGE');
    expect(code({ descriptors: [{ entries: [{}] }] })).toBeInstanceOf(Object);
  });

  it('shortens a name that somebody made up', () => {
    expect(() => requestFromJson({ ['x'.repeat(10_000)]: 1 })).toThrow(
      expect.objectContaining({ at: { key: `${'x'.repeat(64)}...` } }) as Error,
    );
  });

  it('reads back what any request looks like in JSON, under either names', () => {
    const descriptorJson = (descriptor: RlsDescriptor, camel: boolean): object => ({
      entries: descriptor.entries,
      ...(descriptor.limit && {
        limit: {
          [camel ? 'requestsPerUnit' : 'requests_per_unit']: descriptor.limit.requestsPerUnit,
          unit: descriptor.limit.unit,
        },
      }),
      ...(descriptor.hitsAddend !== undefined && {
        [camel ? 'hitsAddend' : 'hits_addend']: String(descriptor.hitsAddend),
      }),
      [camel ? 'isNegativeHits' : 'is_negative_hits']: descriptor.negativeHits,
    });
    fc.assert(
      fc.property(requests, fc.boolean(), (request, camel) => {
        const json = {
          domain: request.domain,
          descriptors: request.descriptors.map((descriptor) => descriptorJson(descriptor, camel)),
          [camel ? 'hitsAddend' : 'hits_addend']: request.hitsAddend,
        };
        expect(requestFromJson(JSON.parse(JSON.stringify(json)))).toEqual(request);
      }),
      { numRuns: 300 },
    );
  });
});

describe('responseToJson', () => {
  const none: RlsResponse = { overallCode: 0, statuses: [], responseHeadersToAdd: [] };
  const cases: [string, RlsResponse, JsonObject][] = [
    ['nothing for what is at its default', none, {}],
    [
      'a status without a limit',
      { ...none, overallCode: 1, statuses: [{ code: 1, limitRemaining: 0 }] },
      { overallCode: 'OK', statuses: [{ code: 'OK' }] },
    ],
    [
      'a whole status',
      {
        ...none,
        overallCode: 2,
        statuses: [
          {
            code: 2,
            currentLimit: { name: 'n', requestsPerUnit: 5, unit: 7 },
            limitRemaining: 4,
            durationUntilResetS: 12,
          },
        ],
      },
      {
        overallCode: 'OVER_LIMIT',
        statuses: [
          {
            code: 'OVER_LIMIT',
            currentLimit: { name: 'n', requestsPerUnit: 5, unit: 'WEEK' },
            limitRemaining: 4,
            durationUntilReset: '12s',
          },
        ],
      },
    ],
    [
      'messages that are there but empty',
      {
        ...none,
        statuses: [
          {
            code: 0,
            currentLimit: { name: '', requestsPerUnit: 0, unit: 0 },
            limitRemaining: 0,
            durationUntilResetS: 0,
          },
        ],
        dynamicMetadata: {},
      },
      { statuses: [{ currentLimit: {}, durationUntilReset: '0s' }], dynamicMetadata: {} },
    ],
    [
      'headers and metadata',
      {
        ...none,
        responseHeadersToAdd: [{ key: 'RateLimit-Limit', value: '5' }],
        dynamicMetadata: { a: [1, null, { b: true }] },
      },
      {
        responseHeadersToAdd: [{ key: 'RateLimit-Limit', value: '5' }],
        dynamicMetadata: { a: [1, null, { b: true }] },
      },
    ],
    [
      'a unit without a name as its number',
      {
        ...none,
        statuses: [{ code: 1, limitRemaining: 0, currentLimit: { name: '', requestsPerUnit: 0, unit: 99 } }],
      },
      { statuses: [{ code: 'OK', currentLimit: { unit: 99 } }] },
    ],
  ];
  it.each(cases)('writes %s', (_name, response, json) => {
    expect(JSON.stringify(responseToJson(response))).toBe(JSON.stringify(json));
  });
});
