import { ONLINE } from '../../src/forecast/choice/online';
import { seededRandom } from '../../src/forecast/numeric/random';
import { TrackedForecaster } from '../../src/forecast/tracked-forecaster';

const MINUTE_MS = 60_000;
const DAY = 1_440;

describe('a spike of some minutes', () => {
  it.each([5, 24])(
    'of %i times the usual is one event, ends within the hour, and is no lasting change',
    (factor) => {
      const random = seededRandom(3);
      const context = { startMs: 0, stepMs: MINUTE_MS, seasons: [DAY], seed: 1 };
      const tracked = new TrackedForecaster(ONLINE.fit(new Float64Array(0), context), {
        stepMs: MINUTE_MS,
        seasons: [DAY],
        horizons: [1],
      });
      const from = 2 * DAY + 100;
      let drifts = 0;
      for (let minute = 0; minute < from + 300; minute += 1) {
        const mean = 600 + 300 * Math.sin((minute / DAY) * 2 * Math.PI);
        const usual = Math.max(0, mean + Math.sqrt(mean) * random.normal());
        const inSpike = minute >= from && minute < from + 8;
        const report = tracked.step(minute * MINUTE_MS, inSpike ? factor * usual : usual);
        if (minute >= from && report.drift !== undefined) drifts += 1;
      }
      const events = tracked.anomalies().filter(({ startMs }) => startMs >= from * MINUTE_MS);
      expect(events).toHaveLength(1);
      expect(events[0]?.startMs).toBe(from * MINUTE_MS);
      expect((events[0]?.endMs ?? Infinity) / MINUTE_MS - from).toBeLessThanOrEqual(60);
      expect(drifts).toBe(0);
      expect(tracked.anomalous).toBe(false);
    },
  );
});
