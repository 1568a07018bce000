/**
 * Frames as they are written: words of eight bytes, each a double of this machine, since both ends are on it. The first
 * says how many follow. Texts stand among them, one byte a character where that holds them, two otherwise.
 *
 * One buffer serves frame after frame, as long as whoever sends them is done with it.
 */
import { MAX_FRAME_WORDS, WORD_BYTES } from './format';

/**
 * What became of a frame that was handed over: it is on its way, and its bytes may be written over (`done`), or belong to
 * whoever sends them (`kept`); or there is nobody at the other end (`gone`).
 */
export type Sent = 'done' | 'kept' | 'gone';

/** Where frames go. */
export interface LinkOutput {
  /** Bytes that were taken and that the other side has not. */
  readonly unsentBytes: number;
  send(frame: Uint8Array): Sent;
}

const FIRST_WORDS = 2_048;
/** A frame of this many words is sent without waiting for more. */
const FULL_WORDS = 2 ** 15;

/** See the file's head. */
export class FrameWriter {
  /** The frame so far. Read it anew after whatever may have made it grow. */
  words = new Float64Array(FIRST_WORDS);
  #bytes = Buffer.from(this.words.buffer);
  #length = 1;

  /** Whether there is nothing to be sent. */
  get isEmpty(): boolean {
    return this.#length === 1;
  }

  /** Whether it is long enough to be sent at once. */
  get isFull(): boolean {
    return this.#length >= FULL_WORDS;
  }

  /** Makes room for `count` words. @returns where they are; the caller writes all of them. */
  reserve(count: number): number {
    const at = this.#length;
    const length = at + count;
    if (length > this.words.length) this.#grow(length);
    this.#length = length;
    return at;
  }

  /** Writes a word after what is there. */
  put(word: number): void {
    const at = this.reserve(1);
    this.words[at] = word;
  }

  /** Writes a text after what is there. @returns a number below 0 that says how to read it. */
  text(text: string): number {
    const chars = text.length;
    const at = this.reserve(Math.ceil((2 * chars) / WORD_BYTES));
    const bytes = this.#bytes;
    const start = at * WORD_BYTES;
    let all = 0;
    for (let i = 0; i < chars; i += 1) {
      const code = text.charCodeAt(i);
      bytes[start + i] = code;
      all |= code;
    }
    if (all < 256) {
      this.#length = at + Math.ceil(chars / WORD_BYTES);
      return -1 - 2 * chars;
    }
    bytes.write(text, start, 'utf16le');
    return -2 - 4 * chars;
  }

  /** Sends the frame and begins another. @returns false when there is nobody to send it to. */
  flush(output: LinkOutput): boolean {
    const { words } = this;
    const length = this.#length;
    this.#length = 1;
    words[0] = length - 1;
    const sent = output.send(this.#bytes.subarray(0, length * WORD_BYTES));
    if (sent === 'kept' || words.length > 2 * FULL_WORDS) this.#use(new Float64Array(FIRST_WORDS));
    return sent !== 'gone';
  }

  #grow(length: number): void {
    if (length > MAX_FRAME_WORDS) throw new RangeError('a frame that is too long');
    const larger = new Float64Array(Math.min(MAX_FRAME_WORDS, Math.max(length, 2 * this.words.length)));
    larger.set(this.words);
    this.#use(larger);
  }

  #use(words: Float64Array<ArrayBuffer>): void {
    this.words = words;
    this.#bytes = Buffer.from(words.buffer);
  }
}
