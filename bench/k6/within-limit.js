// Half of what the limit admits, over all Envoys together: nothing may be refused, and the limit may not cost much.
//   k6 run bench/k6/within-limit.js
import exec from 'k6/execution';
import { check } from 'k6';
import { LIMIT_PER_S, request, steady } from './settings.js';

export const options = {
  scenarios: { within: steady(Math.floor(LIMIT_PER_S / 2)) },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    http_req_duration: ['p(50)<20', 'p(99)<100'],
    dropped_iterations: ['count==0'],
  },
};

export default function run() {
  const response = request(exec.scenario.iterationInTest);
  check(response, { 'is admitted': (answer) => answer.status === 200 });
}
