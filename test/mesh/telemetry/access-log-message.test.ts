/** Our reading of access logs tells what Envoy's full definitions put in. */
import fc from 'fast-check';
import { TidegateError } from '../../../src/core/errors';
import { definitions, type PlainMessage } from '../../../src/mesh/definitions';
import { AccessLogMessage, Column } from '../../../src/mesh/telemetry/access-log-message';
import { FLAG_NAMES } from '../../../src/mesh/telemetry/response-flags';
import { duration, entry, logs, socketAddress } from './entries';

const FLAG_FIELDS = (definitions().type('envoy.data.accesslog.v3.ResponseFlags')?.fieldsArray ?? [])
  .map(({ id, name }) => ({ id, name }))
  .sort((a, b) => a.id - b.id);

interface Decoded {
  readonly route: string;
  readonly cluster: string;
  readonly address: string;
  readonly port: number;
  readonly flags: number;
  readonly status: number;
  readonly grpcStatus: number;
  readonly latencyMs: number;
}

function decode(bytes: Uint8Array, take = 1_000): { message: AccessLogMessage; entries: Decoded[] } {
  const message = new AccessLogMessage();
  message.read(bytes, take);
  const text = (at: number, column: number): string => {
    const start = message.number(at, column);
    const end = start + message.number(at, column + 1);
    return Buffer.from(message.bytes.subarray(start, end)).toString('utf8');
  };
  const entries = Array.from({ length: message.size }, (_, at) => ({
    route: text(at, Column.ROUTE_START),
    cluster: text(at, Column.CLUSTER_START),
    address: text(at, Column.HOST_START),
    port: message.number(at, Column.PORT),
    flags: message.number(at, Column.FLAGS),
    status: message.number(at, Column.STATUS),
    grpcStatus: message.number(at, Column.GRPC_STATUS),
    latencyMs: message.latencyMs(at),
  }));
  return { message, entries };
}

const name = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 20 }));
const nanos = fc.integer({ min: 0, max: 999_999_999 });
const time = fc.record({ seconds: fc.integer({ min: 0, max: 100_000 }), nanos });
const request = fc.record(
  {
    route: name,
    cluster: name,
    address: name,
    port: fc.integer({ min: 0, max: 65_535 }),
    status: fc.integer({ min: 0, max: 999 }),
    sent: time,
    received: time,
    flags: fc.uniqueArray(fc.constantFrom(...FLAG_FIELDS), { maxLength: 6, selector: ({ id }) => id }),
    header: fc.integer({ min: 0, max: 16 }),
    trailer: fc.integer({ min: 0, max: 16 }),
    others: fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 300 }), { maxKeys: 3 }),
  },
  { requiredKeys: ['route', 'cluster', 'flags', 'others'] },
);
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

function encoded(of: Request): PlainMessage {
  const { address, port = 0, sent, received, header, trailer, others } = of;
  const flag = (id: number): unknown => (id === 13 ? { reason: 1 } : true);
  return {
    common_properties: {
      sample_rate: 0.5,
      tls_properties: { tls_sni_hostname: 'x' },
      upstream_cluster: of.cluster,
      route_name: of.route,
      custom_tags: others,
      metadata: { filter_metadata: { f: { fields: { k: { string_value: 'v' } } } } },
      response_flags: Object.fromEntries(of.flags.map(({ id, name: field }) => [field, flag(id)])),
      upstream_wire_bytes_received: 12_345_678_901,
      ...(address === undefined ? {} : { upstream_remote_address: socketAddress(address, port) }),
      ...(sent === undefined ? {} : { time_to_last_downstream_tx_byte: sent }),
      ...(received === undefined ? {} : { time_to_last_upstream_rx_byte: received }),
    },
    request: { path: 'p'.repeat(200), request_headers: others },
    response: {
      ...(of.status === undefined ? {} : { response_code: { value: of.status } }),
      response_headers: { ...others, ...(header === undefined ? {} : { 'grpc-status': String(header) }) },
      response_trailers: trailer === undefined ? {} : { 'grpc-status': String(trailer) },
    },
  };
}

function expected(of: Request): Decoded {
  const { sent, received } = of;
  const ms = (one: { seconds: number; nanos: number }): number => one.seconds * 1_000 + one.nanos / 1e6;
  return {
    route: of.route,
    cluster: of.cluster,
    address: of.address ?? '',
    port: of.address === undefined ? -1 : (of.port ?? 0),
    flags: of.flags.reduce((bits, { id }) => bits | (1 << (id - 1)), 0),
    status: of.status ?? 0,
    grpcStatus: of.trailer ?? of.header ?? -1,
    latencyMs: sent !== undefined ? ms(sent) : received !== undefined ? ms(received) : NaN,
  };
}

describe('an access log message', () => {
  test('says what was put in, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 150 }), (requests) => {
        const { message, entries } = decode(logs(...requests.map(encoded)));
        expect(entries).toEqual(requests.map(expected));
        expect(message.entries).toBe(requests.length);
      }),
      { numRuns: 60 },
    );
  });

  test("knows each of Envoy's response flags by its bit", () => {
    expect(FLAG_FIELDS.map(({ id }) => id)).toEqual(FLAG_NAMES.map((_, bit) => bit + 1));
  });

  test.each([
    ['a pipe', { upstream_remote_address: { pipe: { path: '/run/a' } } }, { address: '/run/a', port: -1 }],
    [
      'a negative time',
      { time_to_last_downstream_tx_byte: { seconds: -1, nanos: -5 } },
      { latencyMs: NaN, address: '10.0.0.1' },
    ],
    [
      'no time to the client',
      { time_to_last_downstream_tx_byte: null, time_to_last_upstream_rx_byte: duration(7) },
      { latencyMs: 7 },
    ],
  ])('takes %s', (_what, common, wanted) => {
    expect(decode(logs(entry({ common }))).entries).toMatchObject([wanted]);
  });

  test.each([
    ['an upstream attempt', { access_log_type: 9 }],
    ['a beginning', { access_log_type: 4 }],
    ['a periodic record', { access_log_type: 5 }],
    ['a record that says it is not the last', { intermediate_log_entry: true }],
  ])('ignores %s', (_what, common) => {
    const { message, entries } = decode(logs(entry({ common }), entry({ common: { access_log_type: 6 } })));
    expect([entries.length, message.ignored, message.entries]).toEqual([1, 1, 2]);
  });

  test('ignores TCP connections', () => {
    const bytes = definitions().encode('envoy.service.accesslog.v3.StreamAccessLogsMessage', {
      tcp_logs: { log_entry: [{ common_properties: { upstream_cluster: 'c' } }, {}] },
    });
    const { message } = decode(bytes);
    expect([message.size, message.ignored, message.entries]).toEqual([0, 2, 2]);
  });

  test('only counts what is over the bound', () => {
    const { message } = decode(logs(...Array.from({ length: 10 }, () => entry())), 4);
    expect([message.size, message.dropped, message.entries]).toEqual([4, 6, 10]);
  });

  test('is read or refused, whatever bytes come; a refusal quotes none of them', () => {
    const good = logs(entry({ route: 'unmistakable' }), entry());
    const broken = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 5 })
      .chain((changes) => fc.tuple(fc.constant(changes), fc.nat(good.length)))
      .map(([changes, end]) => {
        const bytes = Uint8Array.from(good);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes.subarray(0, end);
      });
    fc.assert(
      fc.property(fc.oneof(broken, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        try {
          const { message } = decode(bytes);
          expect(message.size + message.ignored + message.dropped).toBe(message.entries);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(TidegateError);
          expect((thrown as TidegateError).code).toBe('TG_MESH_BAD_REQUEST');
          expect((thrown as TidegateError).message).not.toContain('unmistakable');
        }
      }),
      { numRuns: 500 },
    );
  });
});
