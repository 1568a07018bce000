/** Opens classes only where this process forecasts: members that only stand by keep history alone. */
import type { ClassInfo } from '../../../core/observation';
import { ClassOpener, type OpenerParts } from '../class-opener';

/** See the file's head. */
export class GatedOpener extends ClassOpener {
  constructor(
    parts: OpenerParts,
    private readonly leads: () => boolean,
  ) {
    super(parts);
  }

  override open(info: ClassInfo, nowMs: number): boolean {
    return this.leads() && super.open(info, nowMs);
  }
}
