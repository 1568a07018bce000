/**
 * Which series would deserve a place, of those that have none: whoever has more than one in 257 of their requests is among
 * the candidates, however many others there are.
 * Source: Misra and Gries, "Finding repeated elements", Science of Computer Programming 2 (1982).
 */
import type { AccessLogMessage } from './access-log-message';
import { SeriesKey } from './series-key';

/** Candidates at once. */
const MAX_CANDIDATES = 256;

/** A series with at least so many requests. */
export interface Candidate {
  readonly key: SeriesKey;
  requests: number;
}

/** See the file's head. */
export class BusyCandidates {
  readonly #byHash = new Map<number, Candidate>();

  /** Counts a request of a series without a place. */
  note(message: AccessLogMessage, entry: number, hash: number): void {
    const known = this.#byHash.get(hash);
    if (known !== undefined) known.requests += 1;
    else if (this.#byHash.size < MAX_CANDIDATES) {
      this.#byHash.set(hash, { key: new SeriesKey(message, entry, hash), requests: 1 });
    } else {
      for (const [other, candidate] of this.#byHash) {
        candidate.requests -= 1;
        if (candidate.requests === 0) this.#byHash.delete(other);
      }
    }
  }

  /** The candidates, busiest first; begins anew. */
  take(): readonly Candidate[] {
    const all = [...this.#byHash.values()].sort((a, b) => b.requests - a.requests);
    this.#byHash.clear();
    return all;
  }
}
