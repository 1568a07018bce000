/** gRPC health on the wire. */
import { TidegateError } from '../../src/core/errors';
import { HEALTH_CHECK, healthMethods, rateLimitHealth } from '../../src/transport';
import { healthCheck } from '../wire/protobufjs-codec';

const context = { timeoutMs: Infinity };

describe('the health service', () => {
  let serving = true;
  const check = async (service: string): Promise<object> => {
    const handler = healthMethods(rateLimitHealth(() => serving)).get(HEALTH_CHECK)!;
    const answer = await handler(healthCheck.requestSerialize({ service }), context);
    return healthCheck.responseDeserialize(Buffer.from(answer));
  };

  it.each(['', 'ratelimit', 'envoy.service.ratelimit.v3.RateLimitService'])(
    'answers for %p, and follows changes',
    async (service) => {
      serving = true;
      expect(await check(service)).toEqual({ status: 1 });
      serving = false;
      expect(await check(service)).toEqual({ status: 2 });
    },
  );

  it('does not know another service', async () => {
    await expect(check('payments')).rejects.toThrow(TidegateError);
    await expect(check('payments')).rejects.toMatchObject({
      code: 'TG_HEALTH_UNKNOWN_SERVICE',
      grpcStatus: 5,
    });
  });
});
