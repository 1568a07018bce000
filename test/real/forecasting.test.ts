/** The threads of the control path as they are built: handed counts, asked, killed, ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { ControlThreadHost } from '../../src/app/forecasting/control-host';
import type { FitJob } from '../../src/app/forecasting/fit-job';
import type { FitThreads } from '../../src/app/forecasting/fit-threads';
import type { ForecastFigures } from '../../src/core/forecasts';
import { COUNTS, type ClassInfo, type ObservationBatch } from '../../src/core/observation';
import { recordedLogger } from '../app/forecasting/recorded-logger';
import { loaded } from '../config/load';
import { repositoryPath } from '../parts/paths';
import { until } from '../parts/until';

// Threads run compiled code.
const load = createRequire(__filename);
const built = <T>(file: string): T => load(repositoryPath('dist', 'app', 'forecasting', file)) as T;
const { ControlThreadHost: Host } = built<{ ControlThreadHost: typeof ControlThreadHost }>('control-host.js');
const { FitThreads: Threads } = built<{ FitThreads: typeof FitThreads }>('fit-threads.js');

const PAGE = { offset: 0, limit: 10 };
const RULE: ClassInfo = { id: 'shop.rule', kind: 'rule' };
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-forecasting-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function hostOn(path: string) {
  const { logger, lines } = recordedLogger();
  const { settings } = loaded({ file: `history:\n  path: "${path}"\n  flush_interval: 1s\n` });
  const figures: ForecastFigures[] = [];
  let lost = 0;
  const host = new Host(
    { controlThread: true, settings, source: 'one' },
    { logger, figures: (told) => void figures.push(told), lost: () => (lost += 1) },
  );
  let sequence = 0;
  const observe = (hits: number, added: readonly ClassInfo[] = []): void => {
    sequence += 1;
    const atMs = Math.floor(Date.now() / 1_000) * 1_000 - 1_000;
    const counts = Float64Array.from(COUNTS.map(() => hits));
    const batch: ObservationBatch = {
      source: `one ${path}`,
      sequence,
      atMs,
      stepMs: 1_000,
      added,
      classes: [RULE.id],
      counts,
    };
    host.observe(batch);
  };
  const arrived = async (): Promise<number> => {
    const ask = { classId: RULE.id, figure: 'arrivals', resolutionMs: 1_000 } as const;
    const { values } = await host.ask('series', ask);
    return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  };
  return { host, lines, figures, observe, arrived, lostTimes: () => lost };
}

/** Ends a thread from outside, as running out of memory does. */
async function kill(owner: object, field: string): Promise<void> {
  const worker = Reflect.get(owner, field) as Worker;
  await worker.terminate();
}

describe('the control thread', () => {
  it('takes counts, answers, begins again when it dies, and keeps what it knew when it ends', async () => {
    const path = join(folder, 'history.db');
    const { host, lines, observe, arrived, lostTimes } = hostOn(path);
    await expect(host.ask('status', {})).rejects.toMatchObject({ code: 'TG_FORECAST_UNAVAILABLE' });
    await host.start();
    expect(await host.ask('status', {})).toMatchObject({
      tracked: 0,
      history: { kind: 'sqlite', degraded: false },
    });
    observe(3, [RULE]);
    await until('the counts', async () => (await arrived()) === 3);
    expect(await host.ask('classes', PAGE)).toMatchObject({ total: 1, classes: [RULE] });
    await expect(host.ask('models', { classId: 'other' })).rejects.toMatchObject({
      code: 'TG_FORECAST_UNKNOWN_CLASS',
    });

    const pending = host.ask('status', {});
    const refused = expect(pending).rejects.toMatchObject({ code: 'TG_FORECAST_UNAVAILABLE' });
    const startedMs = performance.now();
    await kill(host, 'worker');
    await refused;
    await expect(host.ask('status', {})).rejects.toMatchObject({ code: 'TG_FORECAST_UNAVAILABLE' });
    observe(1);
    expect(lostTimes()).toBeGreaterThanOrEqual(2);
    expect(lines.map(({ message }) => message)).toContain('the control thread died');
    await until('the next thread', async () => (await host.ask('status', {})) !== undefined);
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    observe(5, [RULE]);
    await until('the counts after it', async () => (await arrived()) >= 5);
    await host.close();
    await expect(host.ask('status', {})).rejects.toMatchObject({ code: 'TG_FORECAST_UNAVAILABLE' });

    const next = hostOn(path);
    await next.host.start();
    expect(await next.arrived()).toBeGreaterThanOrEqual(5);
    await next.host.close();
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  }, 60_000);

  it('goes on in memory where its file cannot be used, and says so', async () => {
    const { host, lines, observe, arrived } = hostOn(folder);
    await host.start();
    observe(2, [RULE]);
    await until('the counts', async () => (await arrived()) === 2);
    const { history } = await host.ask('status', {});
    expect(history).toMatchObject({ kind: 'sqlite', degraded: true });
    expect(history.error).toContain('TG_HISTORY');
    expect(JSON.stringify(lines)).toContain('history file failed');
    await host.close();
  }, 60_000);
});

describe('fitting threads', () => {
  const job: FitJob = {
    kind: 'naive',
    values: Float64Array.from({ length: 60 }, (_, step) => step),
    context: { startMs: 0, stepMs: 60_000, seasons: [], seed: 1, holidays: [] },
    tailStart: 45,
    horizons: [1],
    maxOrigins: 10,
  };

  it('fit, refuse what they do not know, outlive a thread that dies, and end', async () => {
    const threads = new Threads(1);
    const outcome = await threads.fit(job);
    expect(outcome).toMatchObject({ verdict: 'first', state: { kind: 'naive' } });
    await expect(threads.fit({ ...job, kind: 'unheard of' })).rejects.toMatchObject({ code: 'TG_INTERNAL' });
    const both = [threads.fit({ ...job, kind: 'default' }), threads.fit(job)] as const;
    const [thread] = Reflect.get(threads, 'threads') as Set<object>;
    const died = expect(both[0]).rejects.toMatchObject({ code: 'TG_INTERNAL' });
    await kill(thread as object, 'worker');
    await died;
    expect(await both[1]).toMatchObject({ verdict: 'first' });
    const last = expect(threads.fit(job)).rejects.toMatchObject({ code: 'TG_INTERNAL' });
    await threads.close();
    await last;
    await expect(threads.fit(job)).rejects.toMatchObject({ code: 'TG_INTERNAL' });
    expect((Reflect.get(threads, 'threads') as Set<object>).size).toBe(0);
  }, 60_000);
});
