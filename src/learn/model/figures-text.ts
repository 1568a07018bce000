/** Arrays of figures as text and back, exactly: base64 (RFC 4648) of their little-endian double-precision bytes. */

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const WORTH = new Map([...DIGITS].map((digit, worth) => [digit.charCodeAt(0), worth]));
const BYTES = 8;

/** Figures as text. */
export function figuresToText(figures: ArrayLike<number>): string {
  const bytes = new Uint8Array(figures.length * BYTES);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < figures.length; at += 1) view.setFloat64(at * BYTES, figures[at]!, true);
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const three = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += DIGITS[three >> 18]! + DIGITS[(three >> 12) & 63]!;
    text += left > 1 ? DIGITS[(three >> 6) & 63]! : '=';
    text += left > 2 ? DIGITS[three & 63]! : '=';
  }
  return text;
}

/**
 * Text back to figures.
 * @param length how many there have to be.
 * @returns undefined for what is no such text, has another length, or holds what is not a finite number.
 */
export function textToFigures(text: unknown, length: number): Float64Array | undefined {
  const bytes = length * BYTES;
  if (typeof text !== 'string' || text.length !== 4 * Math.ceil(bytes / 3)) return undefined;
  const room = new Uint8Array(3 * (text.length / 4));
  const padded = room.length - bytes;
  if (text.slice(text.length - padded) !== '='.repeat(padded)) return undefined;
  for (let from = 0, to = 0; from < text.length; from += 4, to += 3) {
    let three = 0;
    for (let digit = from; digit < from + 4; digit += 1) {
      const worth = digit >= text.length - padded ? 0 : WORTH.get(text.charCodeAt(digit));
      if (worth === undefined) return undefined;
      three = (three << 6) | worth;
    }
    room[to] = three >> 16;
    room[to + 1] = (three >> 8) & 255;
    room[to + 2] = three & 255;
  }
  const view = new DataView(room.buffer);
  const figures = new Float64Array(length);
  for (let at = 0; at < length; at += 1) {
    const figure = view.getFloat64(at * BYTES, true);
    if (!Number.isFinite(figure)) return undefined;
    figures[at] = figure;
  }
  return figures;
}
