/** The serving thread's side of pools: published tables become parameters of buckets, and fade when none come. */
import type { Settings } from '../../config/settings-shape';
import type { Clock } from '../../core/clock';
import type { CompileOptions } from '../../limiter/compile-limits';
import type { LimitTable } from '../../limiter/limit-table';
import { Tuning } from '../../limiter/tuning';
import type { Lending } from '../stores';
import { AtOnceLoans, type AtOnceSum } from './at-once';
import { type PackedTable, unpackTable } from './packed-table';
import { PoolMap } from './pool-setup';

/** How often parameters whose table has run out fade, ms. */
const FADE_MS = 1_000;

/** See the file's head. */
export class TunedLimits {
  /** What compiling limits takes of it; nothing where there are no pools. */
  readonly compileOption: Pick<CompileOptions, 'tuningFor'>;
  /** Who may lend at once. */
  readonly tuning: Tuning;
  /** Borrowing at once; absent where no pool does. */
  readonly lending: Lending | undefined;
  private readonly loans = new AtOnceLoans();
  private readonly pooled: boolean;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    settings: Settings,
    private readonly clock: Clock,
  ) {
    const map = new PoolMap(settings);
    this.pooled = settings.pools.list.length > 0;
    this.tuning = new Tuning({
      boundsOf: (ruleId, params) => map.boundsOf(ruleId, params),
      colocate: settings.store.colocate,
    });
    this.lending = settings.pools.list.some(({ lending, lendAtOnce }) => lending && lendAtOnce)
      ? {
          lendersOf: (key) => this.tuning.lendersOf(key),
          borrowed: (tokens) => this.loans.add(tokens),
        }
      : undefined;
    this.compileOption = this.pooled ? { tuningFor: this.tuning.tuningFor } : {};
  }

  /** Limits come in use. */
  use(table: LimitTable): void {
    if (this.pooled) this.tuning.use(table);
  }

  /** Takes a pool's table; older ones change nothing. */
  apply(table: PackedTable): void {
    this.tuning.apply(unpackTable(table), this.clock.monotonicMs());
  }

  /** @param borrowed told once a second what was borrowed at once. */
  start(borrowed: (loans: readonly AtOnceSum[]) => void): void {
    if (!this.pooled) return;
    this.timer = setInterval(() => {
      this.tuning.fade(this.clock.monotonicMs());
      const loans = this.loans.take();
      if (loans.length > 0) borrowed(loans);
    }, FADE_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
