/** Gathers a header block that comes in several frames (RFC 9113, section 6.10), within bounds. */

const FIRST_BYTES = 4_096;
const EMPTY = Buffer.alloc(0);

/** The block of one connection that is not complete; there is one at a time. */
export class HeaderBlock {
  /** The stream whose block is open; 0 when none is. */
  stream = 0;
  endsStream = false;
  selfDependent = false;
  startedMs = 0;
  bytes: Buffer = EMPTY;
  length = 0;
  private continuations = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly maxContinuations: number,
  ) {}

  begin(stream: number, endsStream: boolean, selfDependent: boolean, nowMs: number): void {
    this.stream = stream;
    this.endsStream = endsStream;
    this.selfDependent = selfDependent;
    this.startedMs = nowMs;
    this.length = 0;
    this.continuations = -1;
  }

  /** Adds a fragment. @returns false when the block is too long, or in too many pieces. */
  add(bytes: Buffer, at: number, end: number): boolean {
    const length = this.length + end - at;
    this.continuations += 1;
    if (length > this.maxBytes || this.continuations > this.maxContinuations) return false;
    if (this.bytes.length < length) {
      const larger = Buffer.allocUnsafe(Math.min(this.maxBytes, Math.max(FIRST_BYTES, 2 * length)));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    bytes.copy(this.bytes, this.length, at, end);
    this.length = length;
    return true;
  }

  /** The block is decoded: nothing of it is kept. */
  clear(): void {
    this.stream = 0;
    this.length = 0;
    this.bytes = EMPTY;
  }
}
