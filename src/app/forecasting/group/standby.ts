/**
 * Turns the control path by the role that this process has in its group. All members keep history; the leader forecasts.
 * Who begins to lead opens its classes from history, a part of them at each turn, and who no longer leads keeps its
 * forecasters and closes them likewise.
 */
import type { ForecastFigures } from '../../../core/forecasts';
import type { ClassInfo } from '../../../core/observation';
import type { Logger } from '../../../core/ports';
import type { ClassBook } from '../../../forecast/class-book';
import type { History } from '../../../history/history';
import type { ClassOpener } from '../class-opener';
import type { ControlLoop } from '../control-loop';
import type { ModelShelf } from '../model-shelf';
import type { GroupExchange } from './group-exchange';

/** What it turns. */
export interface StandbyParts {
  readonly exchange: Pick<GroupExchange, 'leads' | 'clockMs' | 'isSettled'>;
  readonly loop: Pick<ControlLoop, 'turn' | 'figures'>;
  readonly book: ClassBook;
  readonly opener: ClassOpener;
  readonly shelf: ModelShelf;
  readonly history: History;
  readonly tell: (figures: ForecastFigures) => void;
  readonly logger: Logger;
  /** For durations alone. */
  readonly monotonicMs: () => number;
}

/** What opening and closing classes may take of a turn of a second, ms. */
const PART_MS = 200;
const MINUTE_MS = 60_000;

/** See the file's head. */
export class Standby {
  private led: boolean;
  private toOpen: ClassInfo[] = [];
  private toClose: string[] = [];
  private toldMinute: number;

  constructor(
    private readonly parts: StandbyParts,
    nowMs: number,
  ) {
    this.led = parts.exchange.leads;
    this.toldMinute = Math.floor(nowMs / MINUTE_MS);
  }

  /** Does what is due. */
  turn(nowMs: number): void {
    const { exchange, loop, history } = this.parts;
    const { leads } = exchange;
    if (leads !== this.led) this.change(leads);
    if (leads) {
      if (exchange.isSettled(nowMs)) this.openSome(nowMs);
      loop.turn(exchange.clockMs(nowMs));
      return;
    }
    this.closeSome(nowMs);
    history.closeStep(nowMs);
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute === this.toldMinute) return;
    this.toldMinute = minute;
    // What it knew of alerts when it led is not so any more; replicas are the leader's to recommend.
    this.parts.tell({ ...loop.figures(nowMs), alerts: [], replicas: [] });
  }

  private change(leads: boolean): void {
    const { book, history, logger } = this.parts;
    this.led = leads;
    this.toClose = leads ? [] : [...book.ids()];
    // Services and tenants first: others take a share of their forecasts.
    this.toOpen = leads ? history.classes().filter(({ ended }) => !ended) : [];
    this.toOpen.sort((a, b) => Number(b.parent === undefined) - Number(a.parent === undefined));
    if (leads) logger.info({ classes: this.toOpen.length }, 'begins to forecast for the group');
    else logger.info({ classes: this.toClose.length }, 'stands by: another forecasts for the group');
  }

  private openSome(nowMs: number): void {
    const { opener, monotonicMs } = this.parts;
    const untilMs = monotonicMs() + PART_MS;
    while (this.toOpen.length > 0 && monotonicMs() < untilMs) {
      const info = this.toOpen.shift();
      if (info !== undefined) opener.open(info, nowMs);
    }
  }

  private closeSome(nowMs: number): void {
    const { book, shelf, monotonicMs } = this.parts;
    const untilMs = monotonicMs() + PART_MS;
    while (this.toClose.length > 0 && monotonicMs() < untilMs) {
      const id = this.toClose.shift() ?? '';
      const forecast = book.of(id);
      if (forecast === undefined) continue;
      shelf.saveTracks(id, forecast.save(), nowMs);
      book.close(id);
    }
  }
}
