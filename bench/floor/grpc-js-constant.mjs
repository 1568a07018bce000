/**
 * What @grpc/grpc-js alone costs: a RateLimitService that answers OK without decoding or deciding anything, for the
 * harness's --peer-cmd. It denies the harness's probe, so that it passes for a limiter there.
 *
 *   node bench/floor/grpc-js-constant.mjs PORT
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { PROBE_KEY, PROBE_LIMIT } from '../harness/limits.mjs';
import { SHOULD_RATE_LIMIT } from '../load/rls-message.mjs';

const OK = Buffer.from([0x08, 1]);
const OVER_LIMIT = Buffer.from([0x08, 2]);
const same = (bytes) => bytes;

let probes = 0;
const server = new Server({ 'grpc.enable_channelz': 0 });
server.addService(
  {
    ShouldRateLimit: {
      path: SHOULD_RATE_LIMIT,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  },
  {
    ShouldRateLimit(call, callback) {
      if (call.request.includes(PROBE_KEY)) probes += 1;
      callback(null, probes > PROBE_LIMIT && call.request.includes(PROBE_KEY) ? OVER_LIMIT : OK);
    },
  },
);
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
