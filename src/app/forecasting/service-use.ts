/** What the instances of a service used together, minute by minute, and what each of its rules admitted meanwhile. */
import type { History } from '../../history/history';

/** One minute. */
export interface UsedMinute {
  /** Requests a second by rule. */
  readonly rates: ReadonlyMap<string, number>;
  /** Over all instances; NaN when none told. */
  readonly used: number;
}

const MINUTE_MS = 60_000;
/** What is looked back on at the start. */
const PAST_MS = 6 * 3_600_000;
/** Minutes of one look; the rest comes with the next. */
const MAX_MINUTES = 60;
const MAX_INSTANCES = 1_000;
const MAX_RULES = 64;
/** Signals may come so late. */
const LATE_MS = 30_000;

/** See the file's head. */
export class ServiceUse {
  private nextMs: number | undefined;

  constructor(
    private readonly history: Pick<History, 'classes' | 'series'>,
    private readonly service: string,
    private readonly signal: string,
  ) {}

  /** The minutes that ended since the last look, oldest first. */
  until(nowMs: number): readonly UsedMinute[] {
    const endMs = Math.floor((nowMs - LATE_MS) / MINUTE_MS) * MINUTE_MS;
    let fromMs = this.nextMs ?? endMs - PAST_MS;
    // A clock that was set back is followed.
    if (fromMs > endMs + MINUTE_MS || fromMs < endMs - PAST_MS) fromMs = Math.max(endMs - PAST_MS, 0);
    if (fromMs >= endMs) return [];
    const toMs = Math.min(endMs, fromMs + MAX_MINUTES * MINUTE_MS);
    this.nextMs = toMs;
    return this.minutes(fromMs, toMs);
  }

  private minutes(fromMs: number, toMs: number): readonly UsedMinute[] {
    const classes = this.history.classes();
    const read = (id: string, figure: 'admitted' | 'level'): Float64Array =>
      this.history.series(id, figure, MINUTE_MS, fromMs, toMs).values;
    const instances = classes
      .filter(({ kind, id }) => kind === 'signal' && this.isInstance(id))
      .slice(0, MAX_INSTANCES)
      .map(({ id }) => read(id, 'level'));
    const rules = classes
      .filter(({ kind, service }) => kind === 'rule' && service === this.service)
      .slice(0, MAX_RULES)
      .map(({ id }) => [id, read(id, 'admitted')] as const);
    return Array.from({ length: Math.round((toMs - fromMs) / MINUTE_MS) }, (_, minute) => {
      const told = instances.map((values) => values[minute] ?? NaN).filter(Number.isFinite);
      const rates = rules.map(([id, values]) => [id, (values[minute] ?? NaN) / 60] as const);
      // A minute in which nobody counted says nothing of costs.
      const counted = rates.some(([, rate]) => Number.isFinite(rate));
      const used = told.length === 0 || !counted ? NaN : told.reduce((sum, value) => sum + value, 0);
      return { rates: new Map(rates), used };
    });
  }

  /** `signal:<service>/<instance>/<name>`; an instance may hold slashes. */
  private isInstance(id: string): boolean {
    return id.startsWith(`signal:${this.service}/`) && id.endsWith(`/${this.signal}`);
  }
}
