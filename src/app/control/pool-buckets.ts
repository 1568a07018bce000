/** The buckets of a pool's members as control works on them: how full they are, and tokens that move between them. */
import type { LoanOrder, LoanOutcome, PoolTable } from '../../core/control';
import { TidegateError } from '../../core/errors';
import type { BucketLevel, BucketOperator, BucketRef } from '../../core/pool-link';
import { PoolSizes } from '../../limiter/pool-sizes';
import { tunedParams } from '../../limiter/tuned-size';
import type { MemberSetup } from './pool-setup';

/** See the file's head. Buckets are asked for exactly as the data path does: with what was published, cut and faded alike. */
export class PoolBuckets {
  private readonly sizes = new PoolSizes({ applied: 0, ignored: 0, skipped: 0 });

  /** @param monotonicMs never steps back. */
  constructor(
    private readonly operator: BucketOperator,
    private readonly monotonicMs: () => number,
  ) {}

  /** Takes a published table; older ones change nothing. */
  heard(table: PoolTable): void {
    this.sizes.apply(table, this.monotonicMs());
  }

  /** Tokens in the buckets of those that lend, by member; without those that could not be looked at. */
  async levels(members: Iterable<MemberSetup>): Promise<ReadonlyMap<string, number>> {
    this.sizes.fade(this.monotonicMs());
    const lending = [...members].filter(({ policy }) => policy.lends);
    const answers = await this.operator.levels(lending.map((member) => this.refOf(member)));
    const levels = new Map<string, number>();
    lending.forEach(({ policy }, at) => {
      const answer: BucketLevel | TidegateError | undefined = answers[at];
      if (answer !== undefined && !(answer instanceof TidegateError)) levels.set(policy.id, answer.tokens);
    });
    return levels;
  }

  /** Moves what was ordered. @param id unique over leaders, restarts and pools. */
  async transfer(
    id: string,
    { loanId, tokens, keep }: LoanOrder,
    lender: MemberSetup,
    borrower: MemberSetup,
  ): Promise<LoanOutcome> {
    const [from, to] = [this.refOf(lender), this.refOf(borrower)];
    const result = await this.operator.transfer({ id, from, to, tokens, keep });
    return result instanceof TidegateError
      ? { loanId, moved: 0, lost: 0, error: result.code }
      : { loanId, ...result };
  }

  private refOf({ policy, params, group }: MemberSetup): BucketRef {
    const { sizes } = this;
    const { ruleId, bucketKey } = policy;
    const published = sizes.get(bucketKey);
    const tuned =
      published?.ruleId === ruleId
        ? tunedParams(params, published, policy, sizes.held, sizes.version)
        : { ...params, version: Math.max(params.version, sizes.version) };
    return { key: bucketKey, group: group === '' ? bucketKey : group, params: tuned };
  }
}
