/** Puts the control path together, for whatever thread runs it. */
import type { Settings } from '../../config/settings-shape';
import type { ForecastDesk } from '../../core/forecast-desk';
import type { ForecastFigures } from '../../core/forecasts';
import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/ports';
import { ClassBook } from '../../forecast/class-book';
import { MODEL_KINDS } from '../../forecast/choice/kinds';
import type { ServiceLoad } from '../../forecast/replicas';
import type { History } from '../../history/history';
import { AlertDesk } from './alert-desk';
import { ClassOpener } from './class-opener';
import { ControlDesk } from './control-desk';
import { ControlLoop } from './control-loop';
import { FiguresMaker } from './figures';
import { FitRunner } from './fit-runner';
import type { Fitter } from './fit-threads';
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
  readonly leader: () => boolean;
  readonly learnedCost: LearnedCost;
}

/** The control path. */
export interface Control {
  readonly loop: ControlLoop;
  readonly desk: ForecastDesk;
  readonly fits: FitRunner;
  readonly webhooks: Webhooks;
  /** Keeps everything, and ends. */
  close(): Promise<void>;
}

const MAX_DRIFTS = 1_000;
const RETRY_WEBHOOK_AFTER_MS = [1_000, 5_000, 30_000];
const MAX_WEBHOOKS_WAITING = 1_000;

/** See the file's head. */
export function createControl(parts: ControlParts): Control {
  const { settings, history, fitter, clock, logger, tell, leader } = parts;
  const { forecast } = settings;
  const nowMs = (): number => Math.floor(clock.nowUs() / 1_000);
  const scales = scalesOf(forecast, MODEL_KINDS);
  const book = new ClassBook({ scales, maxClasses: settings.history.maxClasses, maxDrifts: MAX_DRIFTS });
  const shelf = new ModelShelf(() => history.records, logger);
  const opener = new ClassOpener({ book, history, shelf, scales, logger });
  const fits = new FitRunner({ book, history, shelf, fitter, scales, logger });
  const webhooks = new Webhooks(
    {
      timeoutMs: forecast.webhookTimeoutMs,
      retryAfterMs: RETRY_WEBHOOK_AFTER_MS,
      maxWaiting: MAX_WEBHOOKS_WAITING,
    },
    logger,
  );
  const predict = (id: string, horizon: '1m' | '1h' | '1d', level: number) =>
    book.predict(id, horizon, level, nowMs());
  const alerts = new AlertDesk(forecast.alerts, { predict, webhooks, logger });
  const loads = (service: string, signal: string): readonly ServiceLoad[] =>
    serviceLoads(history, service, signal, nowMs());
  const replicas = new ReplicaDesk(forecast.replicas, { predict, loads });
  const figures = new FiguresMaker({ book, history, maxClasses: forecast.metricClasses, leader });
  const costs = new ResourceCosts(history, parts.learnedCost);
  const monotonicMs = (): number => clock.monotonicMs();
  const loop = new ControlLoop(
    {
      history,
      book,
      opener,
      shelf,
      fits,
      alerts,
      replicas,
      figures,
      costs,
      tell,
      logger,
      monotonicMs,
    },
    nowMs(),
  );
  const desk = new ControlDesk({
    history,
    book,
    shelf,
    fits,
    alerts,
    replicas,
    figures,
    costs,
    loop,
    nowMs,
  });
  const close = async (): Promise<void> => {
    await webhooks.close();
    await loop.close(nowMs());
  };
  return { loop, desk, fits, webhooks, close };
}
