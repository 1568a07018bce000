/* global __ENV */
// What both scripts take from the environment, and the load they share: a constant rate of requests in turns over
// every Envoy, whatever the answers do. The defaults fit the local mesh and its limits file.
import http from 'k6/http';

const envoys = (__ENV.ENVOYS ?? 'http://127.0.0.1:10000,http://127.0.0.1:10100').split(',');

/** How long the load lasts, s. */
export const SECONDS = Number(__ENV.SECONDS ?? 20);
/** What the limits file admits one address a second, and its burst. */
export const LIMIT_PER_S = Number(__ENV.LIMIT_PER_S ?? 100);
export const CAPACITY = Number(__ENV.CAPACITY ?? LIMIT_PER_S);

/** A scenario of `ratePerS` requests a second. */
export function steady(ratePerS) {
  return {
    executor: 'constant-arrival-rate',
    rate: ratePerS,
    timeUnit: '1s',
    duration: `${SECONDS}s`,
    preAllocatedVUs: 50,
    maxVUs: 500,
  };
}

/** Sends one request; an answer of 429 is no failure. */
export function request(iteration) {
  const responseCallback = http.expectedStatuses(200, 429);
  return http.get(`${envoys[iteration % envoys.length]}/`, { responseCallback });
}
