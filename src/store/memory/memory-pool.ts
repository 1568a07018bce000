/** A pool of a process that shares nothing: it is alone, and leads. */
import type { ModeOrder, Override, PoolTable } from '../../core/control';
import { TidegateError } from '../../core/errors';
import type { GroupRole } from '../../core/group';
import type { LearningOrder } from '../../core/learning';
import { MAX_OVERRIDES, MAX_TABLE_BYTES, type PoolLink, type PoolOrders } from '../../core/pool-link';

/** What such a pool is told. */
export interface MemoryPoolOptions {
  readonly pool: string;
  /** Unix time, ms; steps back change nothing but how long orders hold. */
  readonly nowMs: () => number;
  /** Orders that were kept before, if anyone keeps them. */
  readonly load?: () => PoolOrders;
  /** Told of all orders whenever one has changed; what it throws is the answer to who ordered. */
  readonly keep?: (orders: PoolOrders) => void;
}

/** There is only ever one leader. */
const EPOCH = 1;

/** See the file's head. */
export class MemoryPool implements PoolLink {
  readonly pool: string;
  private readonly listeners: ((table: PoolTable) => void)[] = [];
  private overrides = new Map<string, Override>();
  private mode: ModeOrder | undefined;
  private learning: LearningOrder | undefined;
  private newest: PoolTable | undefined;
  private open = false;

  constructor(private readonly options: MemoryPoolOptions) {
    this.pool = options.pool;
  }

  start(): void {
    if (this.open) return;
    this.open = true;
    const kept = this.options.load?.();
    for (const override of kept?.overrides.slice(0, MAX_OVERRIDES) ?? [])
      this.overrides.set(override.member, override);
    this.mode = kept?.mode;
    this.learning = kept?.learning;
  }

  role(): GroupRole {
    return { leader: this.open, epoch: this.open ? EPOCH : 0 };
  }

  publish(table: Parameters<PoolLink['publish']>[0]): Promise<PoolTable | undefined> {
    if (!this.open || Buffer.byteLength(JSON.stringify(table)) > MAX_TABLE_BYTES)
      return Promise.resolve(undefined);
    const { sequence = 0, version = -1 } = this.newest ?? {};
    const published: PoolTable = {
      ...table,
      pool: this.pool,
      epoch: EPOCH,
      sequence: sequence + 1,
      version: Math.max(version + 1, Math.floor(this.options.nowMs())),
    };
    this.newest = published;
    for (const listener of this.listeners) listener(published);
    return Promise.resolve(published);
  }

  table(): PoolTable | undefined {
    return this.newest;
  }

  onTable(listener: (table: PoolTable) => void): void {
    this.listeners.push(listener);
  }

  orders(): PoolOrders {
    this.prune();
    return this.all();
  }

  putOverride(override: Override): Promise<void> {
    return this.change(() => {
      this.prune();
      if (!this.overrides.has(override.member) && this.overrides.size >= MAX_OVERRIDES)
        throw new TidegateError('TG_CONTROL_BAD_OVERRIDE', `the pool has ${MAX_OVERRIDES} overrides`);
      this.overrides.set(override.member, override);
    });
  }

  async dropOverride(member: string): Promise<boolean> {
    this.prune();
    if (!this.overrides.has(member)) return false;
    await this.change(() => void this.overrides.delete(member));
    return true;
  }

  putMode(order: ModeOrder): Promise<void> {
    return this.change(() => void (this.mode = order));
  }

  putLearning(order: LearningOrder): Promise<void> {
    return this.change(() => void (this.learning = order));
  }

  close(): Promise<void> {
    this.open = false;
    return Promise.resolve();
  }

  /** Orders that could not be kept are not in force either. */
  private change(change: () => void): Promise<void> {
    const before = { overrides: new Map(this.overrides), mode: this.mode, learning: this.learning };
    try {
      change();
      this.options.keep?.(this.all());
      return Promise.resolve();
    } catch (thrown) {
      this.overrides = before.overrides;
      this.mode = before.mode;
      this.learning = before.learning;
      return Promise.reject(TidegateError.from(thrown));
    }
  }

  private all(): PoolOrders {
    const { mode, learning } = this;
    return {
      overrides: [...this.overrides.values()],
      mode,
      ...(learning === undefined ? {} : { learning }),
    };
  }

  private prune(): void {
    const nowMs = this.options.nowMs();
    for (const [member, { untilMs }] of this.overrides) if (!(untilMs > nowMs)) this.overrides.delete(member);
  }
}
