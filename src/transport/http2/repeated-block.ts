/**
 * The header block that was decoded last: without traces a peer sends the same one with every call, its fields in the dynamic
 * table. Of a peer whose blocks differ few are noted.
 */
import { sameBytes } from '../../core/same-bytes';

/** Longer blocks are decoded each time. */
const MAX_BYTES = 192;
/** Of blocks that were not the last one over again, one in so many is noted. */
const NOTED_OF = 8;

/** See the file's head. */
export class RepeatedBlock {
  private readonly bytes = new Uint8Array(MAX_BYTES);
  /** Its length; 0 when the last block is not noted. */
  private length = 0;
  private changes = 0;
  private passed = 0;

  /**
   * Whether a block is the one that was decoded last, and means the same.
   * @param changes of the dynamic table, so far.
   */
  is(bytes: Uint8Array, start: number, end: number, changes: number): boolean {
    const { length } = this;
    if (length === 0 || end - start !== length || changes !== this.changes) return false;
    return sameBytes(this.bytes, 0, bytes, start, length);
  }

  /** Takes note of a block that was decoded and left the table as it was. */
  note(bytes: Uint8Array, start: number, end: number, changes: number): void {
    this.length = 0;
    if (end - start > MAX_BYTES) return;
    this.passed += 1;
    if (this.passed % NOTED_OF !== 0) return;
    for (let at = start; at < end; at += 1) this.bytes[at - start] = bytes[at]!;
    this.length = end - start;
    this.changes = changes;
  }

  /** The last block is another one, and not to be noted. */
  forget(): void {
    this.length = 0;
  }
}
