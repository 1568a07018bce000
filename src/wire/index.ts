/** The messages of the data port on the wire, and their JSON form. Pure: bytes and plain data. */
export { AnswerBytes } from './answer-bytes';
export {
  decodeHealthCheckRequest,
  decodeHealthCheckResponse,
  encodeHealthCheckRequest,
  encodeHealthCheckResponse,
  ServingStatus,
} from './health';
export { requestFromJson } from './json-request';
export { responseToJson } from './json-response';
export {
  decodeRateLimitRequest,
  DEFAULT_REQUEST_BOUNDS,
  encodeRateLimitRequest,
  type RequestBounds,
} from './rate-limit-request';
export { decodeRateLimitResponse, encodeRateLimitResponse } from './rate-limit-response';
