/** The control path's thread: history, forecasts and what they need of the outside, away from the loop that decides. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { Cron } from 'croner';
import { TidegateError } from '../../core/errors';
import type { MeshAskName } from '../../core/mesh-view';
import { plainError } from '../../core/plain-error';
import type { Settings } from '../../config/settings-shape';
import type { Logger } from '../../core/ports';
import { packTable } from '../control/packed-table';
import { Pools } from '../control/pools';
import { servesMesh } from '../control-port';
import { ServingOperator } from '../control/serving-operator';
import { FitThreads } from './fit-threads';
import { createControl } from './control';
import { startExchange } from './exchange-part';
import { External } from './external';
import { forecastFigures } from './forecast-figures';
import { createGroupLink } from './group/group-link';
import { openHistory } from './history-part';
import type { Answer, ControlSetup, FromControl, LogLine, ToControl } from './messages';
import type { Mesh, MeshParts } from '../mesh/mesh';
import { StatusDesk } from './status-desk';
import { startSignals } from './signals-part';
import { describeError } from '../../telemetry/log-fields';
import { systemClock } from '../system-clock';
import { giveWay, NICE } from '../thread-priority';

const TURN_MS = 1_000;
const GROUP_LATE_MS = 120_000;

/** Runs the control path over a port until it is told to stop. */
async function run(setup: ControlSetup, port: MessagePort): Promise<void> {
  const { source } = setup;
  const post = (message: FromControl): void => port.postMessage(message);
  const logger = loggerOver(post);
  const nowMs = (): number => Math.floor(systemClock.nowUs() / 1_000);
  const link = createGroupLink(setup.settings, source, logger);
  const settings = link === undefined ? setup.settings : withLateness(setup.settings);
  const history = openHistory(settings, nowMs(), logger);
  const createMesh = await meshMaker(settings);
  const serving = new ServingOperator((id, ask) => post({ kind: 'operate', id, ask }));
  const control = createControl({
    settings,
    source,
    link,
    history,
    fitter: new FitThreads(settings.forecast.threads),
    clock: systemClock,
    logger,
    tell: (figures) => post({ kind: 'figures', figures }),
    seen: (batch) => {
      pools.note(batch);
      mesh?.note(batch);
    },
  });
  const pools = new Pools({
    settings,
    source,
    logger,
    history,
    serving,
    predict: (id) => control.predict(id, '1m', 0.8),
    figures: (figures) => post({ kind: 'pool-figures', figures }),
    table: (table) => {
      post({ kind: 'table', table: packTable(table) });
      mesh?.table(table);
    },
    tell: (event) => post({ kind: 'event', event }),
    nowMs,
    monotonicMs: () => systemClock.monotonicMs(),
  });
  const mesh = createMesh?.({
    settings,
    logger,
    history,
    serving,
    predict: (id) => control.predict(id, '1m', 0.8),
    put: (sample, info) => control.loop.put(sample, info, nowMs()),
    tell: (figures) => post({ kind: 'mesh-figures', figures }),
    event: (event) => post({ kind: 'event', event }),
    nowMs,
    monotonicMs: () => systemClock.monotonicMs(),
    ...(setup.controlPort === undefined ? {} : { boundPort: setup.controlPort }),
  });
  void mesh?.start().then(
    (address) => post({ kind: 'listening', address }),
    (thrown: unknown) => {
      // Where it was bound before nobody waits for an answer: the thread is begun anew, and tries again.
      if (setup.controlPort !== undefined) throw thrown;
      post({ kind: 'listen-failed', error: plainError(thrown) });
    },
  );
  const signals = startSignals(settings, systemClock, logger, ({ added, samples }) => {
    const infos = new Map(added.map((info) => [info.id, info]));
    for (const sample of samples) {
      const info = infos.get(sample.classId) ?? { id: sample.classId, kind: 'signal' };
      control.loop.put(sample, info, nowMs());
    }
  });
  const external = new External(() =>
    startExchange({
      settings,
      history,
      logger,
      nowMs,
      forecasts: () => forecastFigures(control.loop.figures(nowMs())),
      onFilled: (classIds) => guarded(logger, () => control.filled(classIds)),
    }),
  );
  external.start(logger);
  const desk = new StatusDesk(control.desk, () => external.status());
  const nightly = new Cron(settings.forecast.refit, { timezone: 'UTC', unref: true }, () =>
    guarded(logger, () => control.loop.refitAll()),
  );
  const timer = setInterval(() => {
    guarded(logger, () => control.turn());
    guarded(logger, () => external.turn(nowMs(), control.leads()));
  }, TURN_MS);
  const askMesh = async (name: MeshAskName): Promise<Answer> => {
    if (mesh === undefined) throw new TidegateError('TG_MESH_OFF', 'nothing is set of `mesh`');
    return mesh.ask(name);
  };
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    nightly.stop();
    signals?.stop();
    await mesh?.close();
    await pools.close();
    await external.close();
    await control.close();
  };
  port.on('message', (message: ToControl) => {
    switch (message.kind) {
      case 'observe':
        post({ kind: 'taken' });
        guarded(logger, () => control.observe(message.batch));
        return guarded(logger, () => external.take(message.batch));
      case 'ask':
        return void answer(message.id, () => desk.ask(message.name, message.ask), post);
      case 'ask-control':
        return void answer(message.id, () => pools.desk.askControl(message.name, message.ask), post);
      case 'ask-mesh':
        return void answer(message.id, () => askMesh(message.name), post);
      case 'targets':
        return guarded(logger, () => mesh?.useTargets(message.buckets));
      case 'serving':
        return mesh?.serving(message.serving);
      case 'pools':
        return guarded(logger, () => pools.use(message.setups));
      case 'borrowed':
        return guarded(logger, () => pools.borrowed(message.loans));
      case 'operated':
        return serving.answered(message.id, message.answer);
      case 'stop':
        return void stop().finally(() => post({ kind: 'stopped' }));
    }
  });
  post({ kind: 'ready' });
}

/** Envoy's definitions are large: they are loaded only where Envoys are served. */
async function meshMaker(settings: Settings): Promise<((parts: MeshParts) => Mesh) | undefined> {
  if (!servesMesh(settings)) return undefined;
  const { Mesh: Made } = await import('../mesh/mesh.js');
  return (parts) => new Made(parts);
}

/** In a group counts may come as late as it keeps them: a short outage of the store loses nothing then. */
function withLateness(settings: Settings): Settings {
  const lateWindowMs = Math.max(settings.history.lateWindowMs, GROUP_LATE_MS);
  return { ...settings, history: { ...settings.history, lateWindowMs } };
}

/** A fault in one turn is told, and the next turn comes. */
function guarded(logger: Logger, work: () => void): void {
  try {
    work();
  } catch (thrown) {
    logger.error({ error: TidegateError.from(thrown) }, 'a turn of the control path failed');
  }
}

async function answer(
  id: number,
  ask: () => Promise<Answer>,
  post: (message: FromControl) => void,
): Promise<void> {
  try {
    post({ kind: 'answer', id, answer: await ask() });
  } catch (thrown) {
    post({ kind: 'refused', id, error: plainError(thrown) });
  }
}

/** Errors do not cross between threads as they are: they cross as what the log shows of them. */
function loggerOver(post: (message: FromControl) => void): Logger {
  const at =
    (level: LogLine['level']) =>
    (fields: object, message: string): void => {
      const plain = Object.fromEntries(
        Object.entries(fields).map(([name, value]: [string, unknown]) => [
          name,
          value instanceof Error ? describeError(value) : value,
        ]),
      );
      post({ kind: 'log', line: { level, fields: plain, message } });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

// This file is its own worker: its data says so, so that importing it elsewhere does nothing.
const setup = workerData as ControlSetup | null;
if (parentPort !== null && setup?.controlThread === true) {
  giveWay(NICE.control);
  void run(setup, parentPort);
}
