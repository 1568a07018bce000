// Three times what the limit admits, over all Envoys together: they must admit the one limit between them, no more,
// and refuse the rest quickly and with the headers that tell a client when to come back.
//   k6 run bench/k6/over-limit.js
import exec from 'k6/execution';
import { check } from 'k6';
import { Counter } from 'k6/metrics';
import { CAPACITY, LIMIT_PER_S, request, SECONDS, steady } from './settings.js';

// The last request is sent at the end of the load and answered after it: a second more than the load lasts is earned at most.
const atMost = CAPACITY + LIMIT_PER_S * (SECONDS + 1);
const atLeast = Math.floor(LIMIT_PER_S * SECONDS * 0.9);
const admitted = new Counter('admitted');
// Passed by Envoy without an answer in time (failure_mode_deny: false): such answers lack the limit's headers.
const undecided = new Counter('undecided');

export const options = {
  scenarios: { over: steady(LIMIT_PER_S * 3) },
  thresholds: {
    admitted: [`count<=${atMost}`, `count>=${atLeast}`],
    undecided: ['count==0'],
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    http_req_duration: ['p(50)<20', 'p(99)<100'],
  },
};

export default function run() {
  const response = request(exec.scenario.iterationInTest);
  const decided = response.headers['X-Ratelimit-Limit'] !== undefined;
  if (!decided) undecided.add(1);
  else if (response.status === 200) admitted.add(1);
  check(response, {
    'is admitted or refused': (answer) => answer.status === 200 || answer.status === 429,
    'a refusal says when to come back': (answer) =>
      answer.status === 200 || answer.headers['Retry-After'] !== undefined,
  });
}
