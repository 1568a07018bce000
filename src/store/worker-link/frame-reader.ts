/** Takes frames out of what comes, however it is cut, and reads their words in order. See the writer for what they are. */
import { TidegateError } from '../../core/errors';
import { MAX_FRAME_WORDS, WORD_BYTES } from './format';

const FIRST_WORDS = 2 ** 14;

/** See the file's head. What does not read as frames throws TG_INTERNAL; nothing can be read after that. */
export class FrameReader {
  #words = new Float64Array(FIRST_WORDS);
  #bytes = Buffer.from(this.#words.buffer);
  /** Bytes of what came that are not read yet, at the buffer's begin. */
  #filled = 0;
  #at = 0;
  #end = 0;

  /** @param read reads one frame to its end. */
  constructor(private readonly read: () => void) {}

  /** Takes in what came. */
  receive(chunk: Uint8Array): void {
    let from = 0;
    while (from < chunk.length) {
      const count = Math.min(chunk.length - from, this.#bytes.length - this.#filled);
      this.#bytes.set(count === chunk.length ? chunk : chunk.subarray(from, from + count), this.#filled);
      this.#filled += count;
      from += count;
      this.#readFrames();
    }
  }

  /** Whether the frame has more. */
  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  /** The next word. */
  next(): number {
    if (this.#at >= this.#end) throw malformed('a frame that ends too soon');
    const word = this.#words[this.#at] ?? NaN;
    this.#at += 1;
    return word;
  }

  /** The next word, which must be a whole number from 0 to `max`. */
  count(max: number): number {
    const word = this.next();
    if (!(word >= 0 && word <= max) || !Number.isInteger(word)) throw malformed('a number out of its bounds');
    return word;
  }

  /** The text that stands here. @param told what the writer said of it. */
  text(told: number): string {
    const size = -1 - told;
    if (!(size >= 0 && size < 2 * MAX_FRAME_WORDS * WORD_BYTES) || !Number.isInteger(size))
      throw malformed('a text without a length');
    const bytes = size >>> 1;
    const words = Math.ceil(bytes / WORD_BYTES);
    const start = this.#at * WORD_BYTES;
    if (this.#at + words > this.#end) throw malformed('a text that ends too soon');
    this.#at += words;
    return this.#bytes.toString((size & 1) === 0 ? 'latin1' : 'utf16le', start, start + bytes);
  }

  #readFrames(): void {
    let at = 0;
    const available = Math.floor(this.#filled / WORD_BYTES);
    while (at < available) {
      const length = this.#words[at] ?? NaN;
      if (!(length >= 1 && length < MAX_FRAME_WORDS) || !Number.isInteger(length))
        throw malformed('a frame without a length');
      if (at + 1 + length > available) {
        this.#keep(at, length + 1);
        return;
      }
      this.#at = at + 1;
      this.#end = this.#at + length;
      this.read();
      if (this.#at !== this.#end) throw malformed('a frame that was not read to its end');
      at = this.#end;
    }
    this.#keep(at, 1);
  }

  /** Keeps what is not read yet, with room for a frame of so many words. */
  #keep(at: number, frameWords: number): void {
    const { length } = this.#words;
    const from = at * WORD_BYTES;
    const filled = this.#filled;
    this.#filled = filled - from;
    if (frameWords > length || (filled === from && length > FIRST_WORDS)) {
      const rest = this.#bytes.subarray(from, filled);
      this.#words = new Float64Array(Math.max(FIRST_WORDS, frameWords));
      this.#bytes = Buffer.from(this.#words.buffer);
      this.#bytes.set(rest);
    } else if (filled > from && from > 0) this.#bytes.copyWithin(0, from, filled);
  }
}

/** What is thrown for bytes that make no sense. */
export function malformed(why: string): TidegateError {
  return new TidegateError('TG_INTERNAL', `the link between two processes brought ${why}`);
}
