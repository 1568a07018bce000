/** Opens classes only where this process forecasts: members that only stand by keep history alone. */
import type { ClassInfo } from '../../../core/observation';
import { ClassOpener, type OpenerParts } from '../class-opener';
import type { GroupExchange } from './group-exchange';

/** See the file's head. */
export class GatedOpener extends ClassOpener {
  constructor(
    parts: OpenerParts,
    private readonly exchange: Pick<GroupExchange, 'leads' | 'clockMs'>,
  ) {
    super(parts);
  }

  override open(info: ClassInfo, nowMs: number): boolean {
    // As of when all members' counts are known.
    return this.exchange.leads && super.open(info, this.exchange.clockMs(nowMs));
  }
}
