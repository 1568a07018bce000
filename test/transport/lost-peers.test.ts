/** Peers that break HTTP/2 and go away: nothing of them may stay, or the server runs out of connections. */
import { connect } from 'node:net';
import type { BoundAddress, Server } from '../../src/core/ports';
import {
  createControlServer,
  createFastDataServer,
  createGrpcDataServer,
  healthMethods,
  rateLimitHealth,
} from '../../src/transport';
import { until } from '../parts/until';

const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
/** A DATA frame on a stream that was never opened. */
const DATA_ON_NOTHING = Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
const PEERS = 20;

const methods = healthMethods(rateLimitHealth(() => true));
const options = { host: '127.0.0.1', port: 0, keepAliveMs: 100 };

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;

/** Resolves when the bytes are written and the socket is closed, with or without a goodbye. */
function sendAndLeave(port: number, bytes: Uint8Array, reset: boolean): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes, () => (reset ? socket.resetAndDestroy() : socket.destroy()));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

describe.each<[string, () => Server]>([
  ['the fast data server', () => createFastDataServer(options, methods)],
  ['the data server on grpc-js', () => createGrpcDataServer(options, methods)],
  ['the control server', () => createControlServer(options, methods)],
])('%s', (_name, create) => {
  let server: Server;
  let address: BoundAddress;
  beforeAll(async () => {
    server = create();
    address = await server.listen();
  });
  afterAll(() => server.close(0));

  it.each([
    ['closed', false],
    ['reset', true],
  ])('keeps no socket of peers that broke HTTP/2 and %s the connection', async (_how, reset) => {
    const before = openSockets();
    for (let i = 0; i < PEERS; i += 1) {
      await sendAndLeave(address.port, Buffer.concat([PREFACE, DATA_ON_NOTHING]), reset);
    }
    await until('their sockets are closed', () => openSockets() <= before, 5_000);
  });
});
