/** The discovery services over a real gRPC connection. */
import { EventEmitter } from 'node:events';
import { Client, credentials, Server, ServerCredentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { definitions, type PlainMessage } from '../../src/mesh/definitions';
import { SnapshotCache } from '../../src/mesh/snapshot-cache';
import { XdsServices } from '../../src/mesh/xds-services';
import { until } from '../parts/until';
import { snapshot, TYPES } from './resources';

const ADS = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
const CDS = '/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters';
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const REQUEST = 'envoy.service.discovery.v3.DiscoveryRequest';
const RESPONSE = 'envoy.service.discovery.v3.DiscoveryResponse';

type Stream = ClientDuplexStream<Uint8Array, Buffer>;

describe('discovery services', () => {
  const cache = new SnapshotCache();
  const services = new XdsServices({
    cache,
    groupOf: ({ id }) => (id.startsWith('b') ? 'b' : 'a'),
    log,
    nowMs: () => performance.now(),
    maxStreams: 2,
  });
  const server = new Server();
  const streams: Stream[] = [];
  let client: Client;

  const open = (path = ADS): { stream: Stream; answers: PlainMessage[]; ended: Promise<number> } => {
    const stream: Stream = client.makeBidiStreamRequest(
      path,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
    );
    streams.push(stream);
    const answers: PlainMessage[] = [];
    stream.on('data', (bytes: Buffer) => answers.push(definitions().decode(RESPONSE, bytes)));
    stream.on('error', () => {});
    const ended = new Promise<number>((resolve) => stream.on('status', ({ code }) => resolve(code)));
    return { stream, answers, ended };
  };
  const ask = (id: string, more: PlainMessage = {}): Uint8Array =>
    definitions().encode(REQUEST, { node: { id }, type_url: TYPES.C, ...more });

  beforeAll(async () => {
    for (const one of services.grpcServices()) server.addService(one.definition, one.implementation);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, at) =>
        error === null ? resolve(at) : reject(error),
      );
    });
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    cache.set('a', snapshot('C:a1'));
    cache.set('b', snapshot('C:b1 C:c1'));
  });
  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.cancel();
    await until('all streams are gone', () => services.view().streams.length === 0);
  });
  afterAll(() => {
    services.close();
    client.close();
    server.forceShutdown();
  });

  test('each group of nodes gets its own snapshot, with a type of its own where the service implies it', async () => {
    const [a, b] = [open(), open(CDS)];
    a.stream.write(ask('a1'));
    b.stream.write(ask('b1', { type_url: '' }));
    await until('both are answered', () => a.answers.length === 1 && b.answers.length === 1);
    expect((a.answers[0]?.['resources'] as unknown[]).length).toBe(1);
    expect((b.answers[0]?.['resources'] as unknown[]).length).toBe(2);
    expect(services.view().streams.map(({ group }) => group)).toEqual(['a', 'b']);
  });

  test.each([
    ['bytes that are no request', Uint8Array.of(0xff, 0xff, 0xff), 3],
    ['a request without a type', definitions().encode(REQUEST, { node: { id: 'a' } }), 3],
    [
      'too many names',
      definitions().encode(REQUEST, { type_url: TYPES.E, resource_names: Array<string>(20_001).fill('x') }),
      8,
    ],
  ])('%s ends that stream and no other', async (_what, bytes, code) => {
    const [good, bad] = [open(), open()];
    good.stream.write(ask('a1'));
    bad.stream.write(bytes);
    expect(await bad.ended).toBe(code);
    await until('the other is answered', () => good.answers.length === 1);
    expect(services.view().streams).toHaveLength(1);
  });

  test('more streams than the bound are refused', async () => {
    open().stream.write(ask('a1'));
    open().stream.write(ask('a2'));
    await until('two are there', () => services.view().streams.length === 2);
    expect(await open().ended).toBe(8);
  });

  test('a client that never answers is sent one response, then the newest', async () => {
    const { stream, answers } = open();
    stream.write(ask('a1'));
    await until('it is answered', () => answers.length === 1);
    for (let content = 2; content < 9; content += 1) cache.set('a', snapshot(`C:a${content}`));
    stream.write(ask('a1', { response_nonce: answers[0]?.['nonce'] }));
    await until('it is answered again', () => answers.length === 2);
    expect(answers[1]?.['version_info']).toBe(snapshot('C:a8').get(TYPES.C)?.version);
  });
});

test('refusals of all nodes together are told twenty in ten seconds, with how many were not', () => {
  const told: object[] = [];
  let nowMs = 0;
  const cache = new SnapshotCache();
  const services = new XdsServices({
    cache,
    groupOf: () => 'a',
    log: { ...log, warn: (fields) => void told.push(fields) },
    nowMs: () => nowMs,
  });
  const ads = services.grpcServices().find(({ definition }) => Object.hasOwn(definition, ADS));
  const open = ads?.implementation[ADS] as (call: unknown) => void;
  const calls = Array.from({ length: 30 }, (_, at) => {
    const call = Object.assign(new EventEmitter(), {
      write: (bytes: Uint8Array) => {
        const nonce = definitions().decode(RESPONSE, bytes)['nonce'];
        call.emit('data', request({ response_nonce: nonce, error_detail: { message: 'x'.repeat(100_000) } }));
        return true;
      },
      end: () => undefined,
    });
    const request = (more: PlainMessage): Uint8Array =>
      definitions().encode(REQUEST, { node: { id: `n${at}` }, type_url: TYPES.C, ...more });
    open(call);
    call.emit('data', request({}));
    return call;
  });
  cache.set('a', snapshot('C:a1'));
  expect(told).toHaveLength(20);
  expect(JSON.stringify(told[0]).length).toBeLessThan(3_000);
  nowMs = 10_000;
  cache.set('a', snapshot('C:a2'));
  expect(told).toHaveLength(40);
  expect(told[20]).toMatchObject({ suppressed: 10 });
  expect(calls).toHaveLength(30);
  services.close();
});
