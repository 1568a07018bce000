/** A plan whose rules belong to pools: the same plan with the sizes of now, made anew only where one has changed. */
import { limitedOf, type LimitedItem, type PlanItem, type RequestPlan } from './request-plan';

/** What a plan was made with. */
interface TunedAt {
  readonly index: number;
  readonly item: LimitedItem;
  /** Of the rule's tuning, when its size was read last. */
  sequence: number;
}

/** Keeps the newest form of a plan. Plans that were given out stay as they are: calls under way go on with them. */
export class TunedPlan {
  private readonly tunedAt: readonly TunedAt[];

  private constructor(
    private plan: RequestPlan,
    items: readonly PlanItem[],
  ) {
    this.tunedAt = items.flatMap((item, index) => {
      const tuning = item.kind === 'limited' ? item.rule?.tuning : undefined;
      return item.kind === 'limited' && tuning !== undefined
        ? [{ index, item, sequence: tuning.sequence }]
        : [];
    });
  }

  /** What a plan is to hold that was made with the sizes of now; undefined where none of its rules belongs to a pool. */
  static of(plan: RequestPlan): TunedPlan | undefined {
    const pooled = plan.limited.some((item) => item.rule?.tuning !== undefined);
    return pooled ? new TunedPlan(plan, plan.items) : undefined;
  }

  /** The plan with the sizes of now. */
  newest(): RequestPlan {
    const { tunedAt } = this;
    for (let at = 0; at < tunedAt.length; at += 1) {
      const tuned = tunedAt[at];
      if (tuned !== undefined && tuned.item.rule?.tuning?.sequence !== tuned.sequence) return this.renew();
    }
    return this.plan;
  }

  private renew(): RequestPlan {
    let items: PlanItem[] | undefined;
    for (const tuned of this.tunedAt) {
      const { item, index } = tuned;
      const tuning = item.rule?.tuning;
      if (tuning === undefined) continue;
      tuned.sequence = tuning.sequence;
      const { params, currentLimit } = tuning.sizeOf(item.call.key);
      const now = this.plan.items[index];
      if (now?.kind === 'limited' && now.call.params === params) continue;
      items ??= [...this.plan.items];
      items[index] = item.sized(params, currentLimit);
    }
    if (items === undefined) return this.plan;
    const limited = limitedOf(items);
    const [only] = limited;
    this.plan = {
      ...this.plan,
      ...{ items, limited, calls: limited.map((item) => item.call), asked: undefined },
      only: items.length === 1 ? only : undefined,
    };
    return this.plan;
  }
}
