/**
 * Writes the traces of the scenarios beside it: requests a minute over four days, with a day's cycle, slow wandering, bursts
 * and the spread of counts; four kinds of traffic. Seeded: the same files each time.
 *
 *   node bench/scenarios/make-traces.mjs
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DAYS = 4;
const DAY_MINUTES = 1_440;
/** 2026-01-05, a Monday, Unix s. */
const START_S = 1_767_571_200;

/**
 * Mean requests a minute; the depth of the day's cycle and its peak's hour; how far and how slowly the level wanders; bursts a
 * day, their height and mean length in minutes.
 */
const KINDS = {
  shop: {
    mean: 2_400,
    depth: 0.65,
    peakHour: 20,
    wander: 0.16,
    keep: 0.97,
    bursts: 3,
    height: 0.8,
    length: 15,
  },
  api: { mean: 3_600, depth: 0.35, peakHour: 14, wander: 0.1, keep: 0.9, bursts: 6, height: 0.5, length: 6 },
  batch: { mean: 900, depth: 0.8, peakHour: 3, wander: 0.25, keep: 0.98, bursts: 8, height: 1.6, length: 12 },
  mobile: { mean: 1_800, depth: 0.5, peakHour: 8, wander: 0.2, keep: 0.95, bursts: 4, height: 1, length: 25 },
};

/** Marsaglia's xorshift with 32 bits. */
function seeded(seed) {
  let state = seed >>> 0 || 1;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (state + 0.5) / 4_294_967_296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

function traceOf({ mean, depth, peakHour, wander, keep, bursts, height, length }, seed) {
  const { uniform, normal } = seeded(seed);
  for (let warm = 0; warm < 20; warm += 1) uniform();
  let level = 0;
  let burst = 0;
  return Array.from({ length: DAYS * DAY_MINUTES }, (_, minute) => {
    const angle = (2 * Math.PI * (minute - peakHour * 60)) / DAY_MINUTES;
    const cycle = 1 + depth * Math.cos(angle) + 0.15 * depth * Math.cos(2 * angle);
    level = keep * level + Math.sqrt(1 - keep * keep) * wander * normal();
    if (uniform() < bursts / DAY_MINUTES) burst = height * (0.5 + uniform());
    burst *= 1 - 1 / length;
    const expected = mean * Math.max(0.05, cycle) * Math.exp(level) * (1 + burst);
    return Math.max(0, Math.round(expected + Math.sqrt(expected) * normal()));
  });
}

const folder = fileURLToPath(new URL('traces/', import.meta.url));
mkdirSync(folder, { recursive: true });
Object.entries(KINDS).forEach(([name, kind], index) => {
  const rows = traceOf(kind, 1_000 + index).map((value, minute) => `${START_S + minute * 60},${value}`);
  writeFileSync(`${folder}${name}.csv`, `timestamp,value\n${rows.join('\n')}\n`);
});
