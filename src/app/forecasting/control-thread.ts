/** The control path's thread: history, forecasts and what they need of the outside, away from the loop that decides. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { Cron } from 'croner';
import { TidegateError } from '../../core/errors';
import type { Settings } from '../../config/settings-shape';
import type { Logger } from '../../core/ports';
import { FitThreads } from './fit-threads';
import { createControl, type Control } from './control';
import { createGroupLink } from './group/group-link';
import { openHistory } from './history-part';
import type { ControlSetup, FromControl, LogLine, ToControl } from './messages';
import { startSignals } from './signals-part';
import { describeError } from '../../telemetry/log-fields';
import { systemClock } from '../system-clock';

const TURN_MS = 1_000;
const GROUP_LATE_MS = 120_000;

/** Runs the control path over a port until it is told to stop. */
function run(setup: ControlSetup, port: MessagePort): void {
  const { source } = setup;
  const post = (message: FromControl): void => port.postMessage(message);
  const logger = loggerOver(post);
  const nowMs = (): number => Math.floor(systemClock.nowUs() / 1_000);
  const link = createGroupLink(setup.settings, source, logger);
  const settings = link === undefined ? setup.settings : withLateness(setup.settings);
  const control = createControl({
    settings,
    source,
    link,
    history: openHistory(settings, nowMs(), logger),
    fitter: new FitThreads(settings.forecast.threads),
    clock: systemClock,
    logger,
    tell: (figures) => post({ kind: 'figures', figures }),
    learnedCost: () => undefined,
  });
  const signals = startSignals(settings, systemClock, logger, ({ added, samples }) => {
    const infos = new Map(added.map((info) => [info.id, info]));
    for (const sample of samples) {
      const info = infos.get(sample.classId) ?? { id: sample.classId, kind: 'signal' };
      control.loop.put(sample, info, nowMs());
    }
  });
  const nightly = new Cron(settings.forecast.refit, { timezone: 'UTC', unref: true }, () =>
    control.loop.refitAll(),
  );
  const timer = setInterval(() => guarded(logger, () => control.turn()), TURN_MS);
  port.on('message', (message: ToControl) => {
    switch (message.kind) {
      case 'observe':
        post({ kind: 'taken' });
        return guarded(logger, () => control.observe(message.batch));
      case 'ask':
        return void answer(control, message, post);
      case 'stop':
        clearInterval(timer);
        nightly.stop();
        signals?.stop();
        return void control.close().finally(() => post({ kind: 'stopped' }));
    }
  });
  post({ kind: 'ready' });
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
  control: Control,
  { id, name, ask }: Extract<ToControl, { kind: 'ask' }>,
  post: (message: FromControl) => void,
): Promise<void> {
  try {
    post({ kind: 'answer', id, answer: await control.desk.ask(name, ask) });
  } catch (thrown) {
    const { code, message, remedy } = TidegateError.from(thrown);
    post({ kind: 'refused', id, error: { code, message, remedy } });
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
if (parentPort !== null && setup?.controlThread === true) run(setup, parentPort);
