/** Route, cluster and host of a request, compared as the bytes that they are in a message: no text is made for an entry. */
import { Column, type AccessLogMessage } from './access-log-message';

/** Names that are longer together do not get a series of their own. */
export const MAX_KEY_BYTES = 1_024;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const NAMES = [Column.ROUTE_START, Column.CLUSTER_START, Column.HOST_START] as const;

/** A hash of an entry's route, cluster and host (FNV-1a, 32 bits). */
export function hashOf(message: AccessLogMessage, entry: number): number {
  const { bytes } = message;
  let hash = FNV_OFFSET;
  for (const column of NAMES) {
    const start = message.number(entry, column);
    const end = start + message.number(entry, column + 1);
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME);
    hash = Math.imul(hash ^ 0xff, FNV_PRIME);
  }
  return Math.imul(hash ^ message.number(entry, Column.PORT), FNV_PRIME) >>> 0;
}

/** How many bytes the names of an entry have. */
export function keyBytes(message: AccessLogMessage, entry: number): number {
  let length = 0;
  for (const column of NAMES) length += message.number(entry, column + 1);
  return length;
}

/** The names as text; empty what a request did not have. */
export interface SeriesNames {
  readonly route: string;
  readonly cluster: string;
  readonly host: string;
}

/** See the file's head. */
export class SeriesKey {
  readonly hash: number;
  #texts: SeriesNames | undefined;
  readonly #names: Buffer;
  readonly #lengths: readonly number[];
  readonly #port: number;

  /** Copies the names of an entry. */
  constructor(message: AccessLogMessage, entry: number, hash: number) {
    this.hash = hash;
    this.#names = Buffer.concat(
      NAMES.map((column) => {
        const start = message.number(entry, column);
        return message.bytes.subarray(start, start + message.number(entry, column + 1));
      }),
    );
    this.#lengths = NAMES.map((column) => message.number(entry, column + 1));
    this.#port = message.number(entry, Column.PORT);
  }

  /** Whether an entry has the same names. */
  matches(message: AccessLogMessage, entry: number): boolean {
    if (message.number(entry, Column.PORT) !== this.#port) return false;
    const { bytes } = message;
    let own = 0;
    for (let name = 0; name < NAMES.length; name += 1) {
      const column = NAMES[name]!;
      const length = this.#lengths[name]!;
      if (message.number(entry, column + 1) !== length) return false;
      const start = message.number(entry, column);
      for (let at = start; at < start + length; at += 1, own += 1) {
        if (bytes[at] !== this.#names[own]) return false;
      }
    }
    return true;
  }

  /** Made when first asked for. */
  get names(): SeriesNames {
    if (this.#texts !== undefined) return this.#texts;
    const [route = 0, cluster = 0] = this.#lengths;
    this.#texts = {
      route: this.#names.toString('utf8', 0, route),
      cluster: this.#names.toString('utf8', route, route + cluster),
      host: hostText(this.#names.toString('utf8', route + cluster), this.#port),
    };
    return this.#texts;
  }
}

/** `address:port`; an address with colons in brackets; only the name where there is no port. @param port -1: none. */
export function hostText(address: string, port: number): string {
  if (port < 0) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
