/**
 * The proto3 JSON form of a RateLimitResponse, as Go's protojson prints it for the reference's /json: lowerCamelCase
 * names, enums by name, durations as `"12s"`, fields that hold their default left out, fields in the order in which
 * Envoy declares them.
 */
import {
  RlsCode,
  UNITS,
  type JsonObject,
  type JsonValue,
  type RlsCurrentLimit,
  type RlsResponse,
  type RlsStatus,
} from '../core/rls';
import { clampDurationS, clampToUint32 } from './rate-limit-response';

const CODE_NAMES = new Map<number, string>([
  [RlsCode.OK, 'OK'],
  [RlsCode.OVER_LIMIT, 'OVER_LIMIT'],
]);
const UNIT_NAMES = new Map<number, string>(UNITS.map((unit) => [unit.number, unit.name]));

/** Writes a response as JSON. */
export function responseToJson(response: RlsResponse): JsonObject {
  return {
    ...enumField('overallCode', response.overallCode, CODE_NAMES),
    ...(response.statuses.length > 0 && { statuses: response.statuses.map(statusToJson) }),
    ...(response.responseHeadersToAdd.length > 0 && {
      responseHeadersToAdd: response.responseHeadersToAdd.map(({ key, value }) => ({
        ...(key !== '' && { key }),
        ...(value !== '' && { value }),
      })),
    }),
    ...(response.dynamicMetadata !== undefined && { dynamicMetadata: response.dynamicMetadata }),
  };
}

function statusToJson(status: RlsStatus): JsonObject {
  const limitRemaining = clampToUint32(status.limitRemaining);
  const { currentLimit, durationUntilResetS } = status;
  return {
    ...enumField('code', status.code, CODE_NAMES),
    ...(currentLimit !== undefined && { currentLimit: limitToJson(currentLimit) }),
    ...(limitRemaining !== 0 && { limitRemaining }),
    ...(durationUntilResetS !== undefined && {
      durationUntilReset: `${clampDurationS(durationUntilResetS)}s`,
    }),
  };
}

function limitToJson(limit: RlsCurrentLimit): JsonObject {
  const requestsPerUnit = clampToUint32(limit.requestsPerUnit);
  return {
    ...(limit.name !== '' && { name: limit.name }),
    ...(requestsPerUnit !== 0 && { requestsPerUnit }),
    ...enumField('unit', limit.unit, UNIT_NAMES),
  };
}

/** An enum's name, or its number when it has none; nothing for 0. */
function enumField(
  name: string,
  number: number,
  names: ReadonlyMap<number, string>,
): Record<string, JsonValue> {
  return number === 0 ? {} : { [name]: names.get(number) ?? number };
}
