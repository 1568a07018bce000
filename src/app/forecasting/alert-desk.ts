/** Holds forecasts against the thresholds of the settings, and tells who wants to know. */
import type { AlertView, HorizonName, Prediction } from '../../core/forecasts';
import type { Logger } from '../../core/ports';
import { lookAt, QUIET, type ThresholdState } from '../../forecast/threshold';
import type { ForecastSettings } from './scales';
import type { Webhooks } from './webhook';

type AlertSettings = ForecastSettings['alerts'][number];

/** What alerts stand on. */
export interface AlertParts {
  /** @returns undefined where nothing is forecast. */
  readonly predict: (classId: string, horizon: HorizonName, level: number) => Prediction | undefined;
  readonly webhooks: Pick<Webhooks, 'send'>;
  readonly logger: Logger;
}

/** See the file's head. */
export class AlertDesk {
  private readonly states = new Map<AlertSettings, ThresholdState>();
  private current: readonly AlertView[] = [];

  constructor(
    private readonly alerts: readonly AlertSettings[],
    private readonly parts: AlertParts,
  ) {}

  /** The alerts as of the last look. */
  views(): readonly AlertView[] {
    return this.current;
  }

  /** Looks at every alert's forecast. */
  look(nowMs: number): void {
    this.current = this.alerts.map((alert) => this.lookOne(alert, nowMs));
  }

  private lookOne(alert: AlertSettings, nowMs: number): AlertView {
    const { name, class: classId, horizon, abovePerS, figure } = alert;
    const prediction = this.parts.predict(classId, horizon, figure === 'upper95' ? 0.95 : 0.8);
    const values = (prediction?.steps ?? []).map((step) => (figure === 'mean' ? step.mean : step.upper));
    const before = this.states.get(alert) ?? QUIET;
    const { state, change, peak, firstOver } = lookAt(values, abovePerS, nowMs, before);
    this.states.set(alert, state);
    const view: AlertView = {
      name,
      classId,
      horizon,
      abovePerS,
      active: state.active,
      sinceMs: state.sinceMs,
      valuePerS: peak,
      crossesAtMs: prediction?.steps[firstOver]?.atMs ?? null,
    };
    if (change !== undefined) this.tell(alert, change, view, nowMs);
    return view;
  }

  private tell(alert: AlertSettings, change: 'begins' | 'ends', view: AlertView, nowMs: number): void {
    const { logger, webhooks } = this.parts;
    if (change === 'begins') logger.warn({ alert: view }, 'a forecast crosses the threshold of an alert');
    else logger.info({ alert: view }, 'forecasts are under the threshold of an alert again');
    if (alert.webhook === '') return;
    webhooks.send(alert.name, alert.webhook, {
      event: change,
      at: new Date(nowMs).toISOString(),
      alert: view,
    });
  }
}
