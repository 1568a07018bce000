/** Puts the control path together, for whatever thread runs it. */
import { availableParallelism } from 'node:os';
import type { Settings } from '../../config/settings-shape';
import type { ForecastDesk } from '../../core/forecast-desk';
import type { ForecastFigures, HorizonName, Prediction } from '../../core/forecasts';
import type { Clock } from '../../core/clock';
import { TidegateError } from '../../core/errors';
import type { GroupLink } from '../../core/group';
import type { ObservationBatch } from '../../core/observation';
import type { Logger } from '../../core/ports';
import { MODEL_KINDS } from '../../forecast/choice/kinds';
import type { ServiceLoad } from '../../forecast/replicas';
import type { History } from '../../history/history';
import { AlertDesk } from './alert-desk';
import { ControlDesk } from './control-desk';
import { ControlLoop } from './control-loop';
import { FiguresMaker } from './figures';
import { FitRunner } from './fit-runner';
import type { Fitter } from './fit-threads';
import { BoardKeeper } from './group/board-keeper';
import { makeBoard } from './group/board-maker';
import { GatedOpener } from './group/gated-opener';
import { GroupBook } from './group/group-book';
import { GroupDesk } from './group/group-desk';
import { GroupExchange } from './group/group-exchange';
import { newestStepMs } from './group/newest-step';
import { PassingForecasts } from './group/passing-forecast';
import { Standby } from './group/standby';
import { wholeSteps } from './group/whole-steps';
import { LearnedCosts } from './learned-costs';
import { ModelShelf } from './model-shelf';
import { ReplicaDesk } from './replica-desk';
import { ResourceCosts, type LearnedCost } from './resource-costs';
import { scalesOf } from './scales';
import { serviceLoads } from './service-loads';
import { Webhooks } from './webhook';

/** What the control path is put together from. */
export interface ControlParts {
  readonly settings: Settings;
  readonly history: History;
  readonly fitter: Fitter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tell: (figures: ForecastFigures) => void;
  /** Names this process in its group. */
  readonly source: string;
  /** Undefined for a process that is alone. */
  readonly link: GroupLink | undefined;
  /** Learns what requests cost; made of the settings where it is not given. */
  readonly learnedCost?: LearnedCost;
  /** Told of what every process saw, its own included. */
  readonly seen?: (batch: ObservationBatch) => void;
}

/** The control path. */
export interface Control {
  readonly loop: ControlLoop;
  readonly desk: ForecastDesk;
  readonly fits: FitRunner;
  readonly webhooks: Webhooks;
  /** Takes what a process of this host counted. */
  observe(batch: ObservationBatch): void;
  /** The forecast of a class; undefined where it is not known. */
  predict(id: string, horizon: HorizonName, level: number): Prediction | undefined;
  /** Begins classes anew whose past has been filled. */
  filled(classIds: readonly string[]): void;
  /** Whether this process forecasts for its group. */
  readonly leads: () => boolean;
  /** Does what is due; to be called once a second. */
  turn(): void;
  /** Keeps everything, and ends. */
  close(): Promise<void>;
}

const MAX_DRIFTS = 1_000;
const RETRY_WEBHOOK_AFTER_MS = [1_000, 5_000, 30_000];
const MAX_WEBHOOKS_WAITING = 1_000;
/** Classes whose forecasts the leader shows to its group. */
const MAX_BOARD_CLASSES = 500;

/** See the file's head. */
export function createControl(parts: ControlParts): Control {
  const { settings, history, fitter, clock, logger, link, source } = parts;
  const { forecast } = settings;
  const nowMs = (): number => Math.floor(clock.nowUs() / 1_000);
  const startedMs = nowMs();
  const monotonicMs = (): number => clock.monotonicMs();
  const scales = scalesOf(forecast, MODEL_KINDS);
  const shelf = new ModelShelf(() => history.records, logger);
  const exchange: GroupExchange = new GroupExchange(
    {
      link,
      source,
      take: (batch, now) => {
        parts.seen?.(batch);
        learned.note(batch.added);
        loop.take(batch, now);
      },
      heldUntilMs: newestStepMs(history, startedMs),
      lateMs: settings.history.lateWindowMs,
      onFault: (thrown) =>
        logger.error({ error: TidegateError.from(thrown) }, "a member's counts cannot be taken"),
    },
    startedMs,
  );
  const boards = new BoardKeeper({ link, maxAgeMs: settings.observe.group.boardAgeMs, logger });
  const whole = wholeSteps(history, exchange);
  const passing = new PassingForecasts(
    { history: whole, classes: () => history.classes(), shelf, logger },
    scales,
  );
  const book = new GroupBook(
    { scales, maxClasses: settings.history.maxClasses, maxDrifts: MAX_DRIFTS },
    {
      shown: (id, horizon, level, now) => boards.predict(id, horizon, level, now),
      made: (id, horizon, level, now) => passing.predict(id, horizon, level, now),
      knows: (fromMs, toMs) => exchange.knows(fromMs, toMs),
    },
  );
  const leads = (): boolean => exchange.leads;
  const opener = new GatedOpener({ book, history: whole, shelf, scales, logger }, exchange);
  const fits = new FitRunner({ book, history: whole, shelf, fitter, scales, logger });
  const webhooks = createWebhooks(forecast.webhookTimeoutMs, logger);
  const predict = (id: string, horizon: HorizonName, level: number) =>
    book.predict(id, horizon, level, nowMs());
  const alerts = new AlertDesk(forecast.alerts, { predict, webhooks, logger });
  const loads = (service: string, signal: string): readonly ServiceLoad[] =>
    serviceLoads(history, service, signal, nowMs());
  const replicas = new ReplicaDesk(forecast.replicas, { predict, loads });
  const figures = new FiguresMaker({ book, history, maxClasses: forecast.metricClasses, leader: leads });
  const learned = new LearnedCosts({ settings: forecast, history, cores: availableParallelism() });
  const costs = new ResourceCosts(history, parts.learnedCost ?? learned.cost);
  const tell = (told: ForecastFigures): void => {
    parts.tell(told);
    if (link !== undefined && leads())
      void boards.show(makeBoard({ book, figures }, told, source, MAX_BOARD_CLASSES));
  };
  const shared = { history, book, shelf, fits, alerts, replicas, figures, costs };
  const loop = new ControlLoop({ ...shared, opener, tell, logger, monotonicMs }, startedMs);
  const own = new ControlDesk({ ...shared, learned, loop, nowMs });
  const { name } = settings.observe.group;
  const desk = link === undefined ? own : new GroupDesk({ desk: own, name, link, exchange, boards, nowMs });
  const standby = new Standby(
    { exchange, loop, book, opener, shelf, history, tell, logger, monotonicMs },
    startedMs,
  );
  link?.start();
  const turn = (): void => {
    exchange.turn(nowMs);
    boards.turn(nowMs());
    standby.turn(nowMs());
    learned.turn(exchange.clockMs(nowMs()));
  };
  const filled = (classIds: readonly string[]): void => {
    const infos = history.classes().filter(({ id, ended }) => !ended && classIds.includes(id));
    for (const info of leads() ? infos : []) {
      book.close(info.id);
      opener.openAnew(info, exchange.clockMs(nowMs()));
    }
  };
  const observe = (batch: ObservationBatch): void => {
    exchange.observe(batch, nowMs());
    learned.observe(batch);
  };
  const close = async (): Promise<void> => {
    exchange.close();
    // What is written must not wait for who cannot be reached.
    await Promise.all([loop.close(nowMs()), webhooks.close(), link?.close()]);
  };
  return { loop, desk, fits, webhooks, leads, observe, predict, filled, turn, close };
}

function createWebhooks(timeoutMs: number, logger: Logger): Webhooks {
  const bounds = { retryAfterMs: RETRY_WEBHOOK_AFTER_MS, maxWaiting: MAX_WEBHOOKS_WAITING };
  return new Webhooks({ timeoutMs, ...bounds }, logger);
}
