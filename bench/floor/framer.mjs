/**
 * The bare framer: this project's HTTP/2 and gRPC with a constant answer, decoding and deciding nothing. What is between it
 * and Tidegate is what a decision costs. Needs a build.
 *
 *   node bench/floor/framer.mjs PORT
 */
import { createFastDataServer } from '../../dist/transport/index.js';
import { SHOULD_RATE_LIMIT } from '../load/rls-message.mjs';

const OK = new Uint8Array([0x08, 1]);
// As Tidegate's own handler: nothing is made of a message that is not read.
const handler = Object.assign(() => OK, { inPlace: () => OK });
const server = createFastDataServer(
  { host: '127.0.0.1', port: Number(process.argv[2]) },
  new Map([[SHOULD_RATE_LIMIT, handler]]),
);
await server.listen();
process.once('SIGTERM', () => process.exit());
