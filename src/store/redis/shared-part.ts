/** What processes share over Redis, such as a group or a pool, seen from one of them: it is to live on where Redis does not. */
import { TidegateError } from '../../core/errors';
import type { GroupRole } from '../../core/group';
import type { Logger } from '../../core/ports';

/** See the file's head. */
export class SharedPart {
  /** Calls that failed, since the start. */
  failures = 0;
  /** Whether the last call failed. */
  failing = false;

  /** @param kind `group` or `pool`, as the log names it. */
  constructor(
    private readonly kind: string,
    private readonly name: string,
    private readonly logger: Logger | undefined,
  ) {}

  /** What a call gives; undefined where it failed, which is counted, and told when it begins. */
  async trying<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await call();
      this.failing = false;
      return result;
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      this.failures += 1;
      const { kind, name, logger } = this;
      if (!this.failing) logger?.warn({ [kind]: name, error }, `the ${kind} cannot be reached`);
      this.failing = true;
      return undefined;
    }
  }

  /** Tells that this process has begun to lead, or leads no more. */
  tellRole(before: GroupRole, { leader, epoch }: GroupRole): void {
    const { kind, name, logger } = this;
    const fields = { [kind]: name, epoch };
    if (leader && !before.leader) logger?.info(fields, `this process leads the ${kind}`);
    if (!leader && before.leader) logger?.warn(fields, `this process no longer leads the ${kind}`);
  }
}
