/** What the control path tells of forecasts: alerts with their webhooks, replica counts, resources. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AlertDesk } from '../../../src/app/forecasting/alert-desk';
import { ReplicaDesk } from '../../../src/app/forecasting/replica-desk';
import type { Prediction } from '../../../src/core/forecasts';
import { wrongAnswers } from './every-answer';
import { recordedLogger } from './recorded-logger';
import { MINUTE_MS, noise, RULE, SERVICE, SimulatedControl } from './simulated-control';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function receiver(): Promise<{ url: string; bodies: Record<string, unknown>[] }> {
  const bodies: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      bodies.push(JSON.parse(body) as Record<string, unknown>);
      response.writeHead(204).end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=secret`, bodies };
}

const predicted = (rates: readonly number[]): Prediction => ({
  classId: 'a',
  figure: 'hits',
  horizon: '1h',
  level: 0.8,
  madeAtMs: 0,
  stepMs: 600_000,
  model: 'naive',
  version: 0,
  source: 'model',
  warm: true,
  flags: [],
  steps: rates.map((mean, index) => ({ atMs: index * 600_000, mean, lower: mean / 2, upper: mean * 2 })),
});

describe('alerts', () => {
  it('begin and end with what is forecast of a class, in figures, answers, the log and a webhook', async () => {
    const { url, bodies } = await receiver();
    const settings = [
      'forecast:',
      '  seasons: [1h]',
      '  alerts:',
      `    - { name: busy, class: ${RULE.id}, horizon: 1m, above_per_s: 15, webhook: "${url}" }`,
      `    - { name: other, class: nothing, horizon: 1h, above_per_s: 1 }`,
    ].join('\n');
    const sim = new SimulatedControl({ settings });
    const at = (perMinute: number) => ({
      [RULE.id]: (_: number, minute: number) => perMinute * noise(minute),
      [SERVICE.id]: () => 600,
    });
    await sim.pass(90, at(600));
    expect(sim.last.alerts).toMatchObject([
      { name: 'busy', active: false, sinceMs: null, crossesAtMs: null },
      { name: 'other', active: false, valuePerS: null },
    ]);
    for (let minute = 0; minute < 150 && sim.last.alerts[0]?.active !== true; minute += 1)
      await sim.pass(1, at(1_800));
    const [busy] = (await sim.ask('alerts', {})).alerts;
    expect(busy).toMatchObject({ active: true, abovePerS: 15, sinceMs: sim.nowMs });
    expect(busy?.valuePerS).toBeGreaterThan(15);
    expect(Math.abs((busy?.crossesAtMs ?? NaN) - sim.nowMs)).toBeLessThan(2 * MINUTE_MS);
    for (let minute = 0; minute < 200 && sim.last.alerts[0]?.active === true; minute += 1)
      await sim.pass(1, at(300));
    expect(sim.last.alerts[0]).toMatchObject({ active: false, sinceMs: null });
    await sim.control.webhooks.idle();
    expect(bodies.map(({ event }) => event)).toEqual(['begins', 'ends']);
    expect(bodies[0]).toMatchObject({ alert: { name: 'busy', classId: RULE.id, active: true } });
    expect(sim.logged('crosses the threshold')).toHaveLength(1);
    expect(sim.logged('under the threshold')).toHaveLength(1);
    expect(JSON.stringify(sim.lines)).not.toContain('secret');
    expect(await wrongAnswers(sim, [RULE.id])).toEqual([]);
    await sim.close();
  });

  it.each<['mean' | 'upper80' | 'upper95', number, boolean]>([
    ['mean', 0.8, false],
    ['upper80', 0.8, true],
    ['upper95', 0.95, true],
  ])('compare the %s', (figure, level, active) => {
    const asked: number[] = [];
    const desk = new AlertDesk(
      [{ name: 'x', class: 'a', horizon: '1h', abovePerS: 15, figure, webhook: '' }],
      {
        predict: (_id, _horizon, one) => {
          asked.push(one);
          return predicted([5, 10]);
        },
        webhooks: { send: () => undefined },
        logger: recordedLogger().logger,
      },
    );
    desk.look(1_000);
    expect(asked).toEqual([level]);
    expect(desk.views()).toMatchObject([{ active, crossesAtMs: active ? 600_000 : null }]);
  });
});

describe('replica counts', () => {
  const service = {
    service: 'shop',
    capacityPerReplica: 0,
    cpuSignal: 'cpu',
    targetUtilization: 0.5,
    horizon: '1h' as const,
    min: 2,
    max: 20,
  };
  const loads = (count: number) =>
    Array.from({ length: count }, () => ({ ratePerS: 100, replicas: 4, cpu: 0.25 }));

  it.each([
    [
      'from a set capacity',
      { capacityPerReplica: 10 },
      [30, 40],
      0,
      { recommended: 8, capacityPerReplica: 10 },
    ],
    ['from a measured one', {}, [100], 60, { recommended: 4, capacityPerReplica: 50 }],
    ['not under the least', { capacityPerReplica: 1_000 }, [1], 0, { recommended: 2 }],
    ['not over the most', { capacityPerReplica: 1 }, [500], 0, { recommended: 20 }],
    ['not without load', {}, [100], 3, { recommended: null, capacityPerReplica: null, demandPerS: 200 }],
    ['not without a forecast', { capacityPerReplica: 5 }, [], 0, { recommended: null, demandPerS: null }],
  ])('are recommended %s', (_, settings, rates, steps, expected) => {
    const desk = new ReplicaDesk([{ ...service, ...settings }], {
      predict: (id) => (id === 'service:shop' && rates.length > 0 ? predicted(rates) : undefined),
      loads: () => loads(steps),
    });
    expect(desk.views()).toMatchObject([{ service: 'shop', ...expected }]);
  });

  it('are measured from signals beside demand', async () => {
    const settings = [
      'forecast:',
      '  seasons: [1h]',
      '  replicas:',
      '    - { service: shop, cpu_signal: cpu, horizon: 1h, target_utilization: 0.8, max: 50 }',
    ].join('\n');
    const sim = new SimulatedControl({ settings });
    for (let minute = 0; minute < 90; minute += 1) {
      await sim.pass(1, { [RULE.id]: () => 6_000, [SERVICE.id]: () => 6_000 });
      for (const instance of ['a', 'b'])
        sim.control.loop.put(
          { classId: `signal:shop/${instance}/cpu`, atMs: sim.nowMs, value: 0.4 },
          { id: `signal:shop/${instance}/cpu`, kind: 'signal', service: 'shop' },
          sim.nowMs,
        );
    }
    const [view] = (await sim.ask('replicas', {})).replicas;
    // 100 a second over two instances at 40 %: one serves 125 at all of it, 100 at the 80 % aimed at.
    expect(view?.capacityPerReplica).toBeCloseTo(100, 6);
    expect(view?.recommended).toBe(Math.ceil((view?.demandPerS ?? NaN) / (view?.capacityPerReplica ?? NaN)));
    expect(view?.why).toContain('measured');
    expect(sim.last.replicas).toEqual([view]);
    expect((await sim.ask('classes', { offset: 0, limit: 9, kind: 'signal' })).total).toBe(2);
    expect(await wrongAnswers(sim, ['signal:shop/a/cpu'])).toEqual([]);
    await sim.close();
  });
});

describe('resources', () => {
  it('are of the learned cost where there is one, and none for signals', async () => {
    const sim = new SimulatedControl({
      learnedCost: (id, resource) => (id === RULE.id && resource === 'cpu' ? 7 : undefined),
    });
    await sim.pass(30, { [RULE.id]: () => 600, [SERVICE.id]: () => 600 });
    const hits = (await sim.predict(RULE.id, '1m')).steps[0]?.mean ?? NaN;
    expect((await sim.predict(RULE.id, '1m', 0.8, 'cpu')).steps[0]?.mean).toBeCloseTo(7 * hits, 9);
    expect((await sim.predict(RULE.id, '1m', 0.8, 'network')).steps[0]?.mean).toBeCloseTo(3 * hits, 9);
    expect((await sim.predict(SERVICE.id, '1m', 0.8, 'cpu')).steps[0]?.mean).toBeGreaterThan(5 * hits);
    await sim.close();
  });
});
