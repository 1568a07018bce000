/** `/json`: the RateLimitService over HTTP, as the reference has it: 200, 429 when over a limit, 400 for a bad body. */
import { RlsCode, type JsonObject } from '../core/rls';
import { requestFromJson, responseToJson, type RequestBounds } from '../wire';
import type { RateLimitCalls } from './rls-handler';

/** An HTTP status and a JSON body. */
export interface JsonReply {
  readonly status: number;
  readonly body: JsonObject;
}

/**
 * Decides the proto3 JSON form of a RateLimitRequest.
 * @throws TidegateError TG_REQUEST_BAD_JSON and the limiter's errors.
 */
export async function decideJson(
  calls: RateLimitCalls,
  body: unknown,
  bounds: RequestBounds,
): Promise<JsonReply> {
  const response = await calls.decide(requestFromJson(body, bounds), { timeoutMs: Infinity });
  return { status: response.overallCode === RlsCode.OVER_LIMIT ? 429 : 200, body: responseToJson(response) };
}
