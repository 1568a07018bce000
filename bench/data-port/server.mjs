// A data port with a constant answer, for bench/data-port/main.mjs: what the transport alone costs.
//
//   node bench/data-port/server.mjs fast|grpc-js [JSON of server options]
//
// Says its address to the parent, and its CPU time and memory whenever the parent asks.
import { createFastDataServer, createGrpcDataServer } from '../../dist/transport/index.js';
import { SHOULD_RATE_LIMIT } from '../load/rls-message.mjs';

const OK = new Uint8Array([0x08, 1]);
const [kind, options = '{}'] = process.argv.slice(2);
const create = kind === 'fast' ? createFastDataServer : createGrpcDataServer;
const server = create(
  { host: '127.0.0.1', port: 0, ...JSON.parse(options) },
  new Map([[SHOULD_RATE_LIMIT, () => OK]]),
);
const { port } = await server.listen();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system, heapBytes: process.memoryUsage().heapUsed });
});
process.on('disconnect', () => process.exit());
process.send?.({ port });
if (process.send === undefined) console.log(port);
