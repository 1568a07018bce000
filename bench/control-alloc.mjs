/**
 * What deciding costs, ms: an allocation over services, and a whole tick of a pool that sizes, allocates, guards and lends.
 * Prints a table of medians (min..max), and how much ten times as many take. Needs a build.
 *
 *   node bench/control-alloc.mjs [--rounds 15]
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { formatSpread, spreadOf } from './harness/statistics.mjs';

const load = createRequire(import.meta.url);
const { allocate } = load('../dist/control/allocate/allocate.js');
const { PoolController } = load('../dist/control/pool-controller.js');
const { usualPolicy } = load('../dist/control/usual-policy.js');

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const ROUNDS = Number(values.rounds);
const SIZES = [1_000, 10_000];
const PRIORITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];
const WARM_UP = 5;

/** Numbers from 0 to 1, the same ones each run (Park and Miller's generator). */
let seed = 20_261;
const draw = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;

const policyOf = (i) => ({
  id: `m${i}`,
  ruleId: `m${i}`,
  bucketKey: `m${i}`,
  service: `s${i}`,
  priority: PRIORITIES[i % PRIORITIES.length],
  weight: 1,
  nominalPerS: 10 + 200 * draw(),
  nominalCapacity: 100,
  minPerS: 1,
  maxPerS: 500,
  minCapacity: 1,
  maxCapacity: 400,
  guaranteePerS: 20 * draw(),
  lendable: 0.9,
  borrowable: 1,
  lends: true,
});

const poolOf = (totalPerS) => ({
  ...usualPolicy({ name: 'bench', totalPerS, tickMs: 1_000, intervalMs: 1_000, lending: true }),
  cooldownMs: 0,
  maxStep: 1,
  lifeMs: 30_000,
  decayMs: 30_000,
  lending: { enabled: true, lowWater: 0.2, part: 0.9, atOnce: true },
});

function allocating(count) {
  const claimants = Array.from({ length: count }, (_, i) => {
    const policy = policyOf(i);
    const demandPerS = 2.2 * draw() * policy.nominalPerS;
    return { policy, demandPerS, wantedPerS: 1.2 * demandPerS, escalation: 1, orderedPerS: undefined };
  });
  const totalPerS = claimants.reduce((sum, { policy }) => sum + policy.nominalPerS, 0);
  return () => {
    const startMs = performance.now();
    allocate(totalPerS, claimants, 0.8);
    return performance.now() - startMs;
  };
}

function ticking(count) {
  const members = Array.from({ length: count }, (_, i) => policyOf(i));
  const totalPerS = members.reduce((sum, { nominalPerS }) => sum + nominalPerS, 0);
  const controller = new PoolController(poolOf(totalPerS), members);
  let nowMs = 0;
  return () => {
    nowMs += 1_000;
    const seen = members.map(({ id, nominalPerS }) => {
      const demandPerS = 2.2 * draw() * nominalPerS;
      const admittedPerS = Math.min(demandPerS, nominalPerS);
      const forecast = {
        madeAtMs: nowMs,
        meanPerS: demandPerS,
        upperPerS: 1.2 * demandPerS,
        anomalous: false,
      };
      const tokens = Math.floor(100 * draw());
      return {
        id,
        demandPerS,
        admittedPerS,
        deniedPerS: demandPerS - admittedPerS,
        queuedPerS: 0,
        tokens,
        forecast,
      };
    });
    const startMs = performance.now();
    const { loans, state } = controller.tick(nowMs, { members: seen, health: [] });
    const tookMs = performance.now() - startMs;
    if (state !== 'normal') throw new Error('the pool fell back');
    for (const { loanId, tokens } of loans) controller.settled({ loanId, moved: tokens, lost: 0 }, nowMs);
    return tookMs;
  };
}

for (const [name, make] of [
  ['allocation over services', allocating],
  ['whole tick of a pool', ticking],
]) {
  const spreads = SIZES.map((count) => {
    const once = make(count);
    for (let i = 0; i < WARM_UP; i += 1) once();
    return spreadOf(Array.from({ length: ROUNDS }, once));
  });
  for (const [i, count] of SIZES.entries())
    console.log(`${name}, ${count}: ${formatSpread(spreads[i], (ms) => ms.toFixed(2))} ms`);
  console.log(
    `${name}, ten times as many take ${(spreads[1].median / spreads[0].median).toFixed(1)} times as long`,
  );
}
