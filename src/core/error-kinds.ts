/** What entries of the error catalogue are made of. */

/** One entry of the catalogue. */
export interface CatalogueEntry {
  /** What the code means, for docs/errors.md. */
  readonly meaning: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Whether the same call may succeed later unchanged. */
  readonly transient: boolean;
  /** google.rpc.Code's number for a gRPC caller. */
  readonly grpcStatus: number;
}

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
/** google.rpc.Code. */
export const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
/** google.rpc.Code. */
export const INTERNAL = 13;
/** google.rpc.Code. */
export const UNAVAILABLE = 14;
/** google.rpc.Code. */
export const UNAUTHENTICATED = 16;

/** Makes a kind of entries. */
export const kind =
  (transient: boolean, grpcStatus: number) =>
  (meaning: string, remedy: string): CatalogueEntry => ({ meaning, remedy, transient, grpcStatus });
/** Of a call that cannot be meant. */
export const input = kind(false, INVALID_ARGUMENT);
/** Of something that is asked for and is not there. */
export const absent = kind(false, NOT_FOUND);
/** Of too much. */
export const excess = kind(false, RESOURCE_EXHAUSTED);
/** Of what whoever runs it has to mend. */
export const setup = kind(false, FAILED_PRECONDITION);
/** Of what may succeed later. */
export const outage = kind(true, UNAVAILABLE);
