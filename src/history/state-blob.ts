/** Saved models as bytes: a format number, a digest, and the structured clone that keeps typed arrays. */
import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { TidegateError } from '../core/errors';
import type { ModelState } from '../forecast/model/model';

const FORMAT = 1;
const DIGEST_BYTES = 16;

const digestOf = (body: Uint8Array): Buffer =>
  createHash('sha256').update(body).digest().subarray(0, DIGEST_BYTES);

/** The bytes of a state. */
export function packState(state: ModelState): Buffer {
  const body = serialize(state);
  return Buffer.concat([Buffer.of(FORMAT), digestOf(body), body]);
}

/** The state of {@link packState}'s bytes. @throws TidegateError TG_FORECAST_BAD_STATE for any others. */
export function unpackState(bytes: Uint8Array): ModelState {
  const refuse = (what: string): TidegateError =>
    new TidegateError('TG_FORECAST_BAD_STATE', `a saved model ${what}`);
  if (bytes[0] !== FORMAT) throw refuse(`is of format ${bytes[0] ?? 'none'}; this Tidegate knows ${FORMAT}`);
  const body = bytes.subarray(1 + DIGEST_BYTES);
  if (!digestOf(body).equals(bytes.subarray(1, 1 + DIGEST_BYTES))) throw refuse('is damaged');
  const state: unknown = deserialize(body);
  if (typeof state !== 'object' || state === null) throw refuse('is no model');
  return state as ModelState;
}
