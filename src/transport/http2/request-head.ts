/** One request's header fields as a gRPC server needs them, filled while a block is decoded and then reused. */
import { BAD_VALUE, BAD_PATH, Encoding, Kind, Method, NO_ROUTE } from './field-kind';

const PSEUDO_FIELDS = (1 << Kind.METHOD) | (1 << Kind.SCHEME) | (1 << Kind.AUTHORITY) | (1 << Kind.PATH);
const REQUIRED = (1 << Kind.METHOD) | (1 << Kind.SCHEME) | (1 << Kind.PATH);
const CONNECT_FIELDS = (1 << Kind.METHOD) | (1 << Kind.AUTHORITY);
/** Set once a field that is no pseudo-header field was seen. */
const REGULAR = 1;

/** What was in the block that was decoded last. */
export class RequestHead {
  method: number = Method.OTHER;
  /** The number of the method by its path, or {@link NO_ROUTE}. */
  route = NO_ROUTE;
  contentType = 0;
  /** Infinity without one, {@link BAD_VALUE} when it is none. */
  timeoutMs = Infinity;
  encoding: number = Encoding.IDENTITY;
  /** {@link BAD_VALUE} without one. */
  contentLength = BAD_VALUE;
  traceparent: string | undefined;
  /** The sum of all fields as SETTINGS_MAX_HEADER_LIST_SIZE counts them (RFC 9113, section 6.5.2). */
  listBytes = 0;
  /** A bit for each kind that was seen. */
  private seen = 0;
  private malformed = false;

  reset(): void {
    this.method = Method.OTHER;
    this.route = NO_ROUTE;
    this.contentType = 0;
    this.timeoutMs = Infinity;
    this.encoding = Encoding.IDENTITY;
    this.contentLength = BAD_VALUE;
    this.traceparent = undefined;
    this.listBytes = 0;
    this.seen = 0;
    this.malformed = false;
  }

  /** Takes one field: its kind, its value as a number, its text where that is kept, its size in the table. */
  take(kind: number, value: number, text: string | undefined, bytes: number): void {
    this.listBytes += bytes;
    if (kind === Kind.IGNORED) this.seen |= REGULAR;
    else if (kind <= Kind.PATH) this.takePseudo(kind, value);
    else this.takeRegular(kind, value, text);
  }

  /** Whether it is a request by RFC 9113, section 8.3.1. */
  isRequest(): boolean {
    if (this.malformed) return false;
    const pseudo = this.seen & PSEUDO_FIELDS;
    return this.method === Method.CONNECT ? pseudo === CONNECT_FIELDS : (pseudo & REQUIRED) === REQUIRED;
  }

  /** Whether it can be trailers: no pseudo-header fields (RFC 9113, section 8.1). */
  isTrailers(): boolean {
    return !this.malformed && (this.seen & PSEUDO_FIELDS) === 0;
  }

  private takePseudo(kind: number, value: number): void {
    const bit = 1 << kind;
    if ((this.seen & (bit | REGULAR)) !== 0) this.malformed = true;
    this.seen |= bit;
    if (kind === Kind.METHOD) this.method = value;
    else if (kind === Kind.PATH) {
      this.route = value;
      if (value === BAD_PATH) this.malformed = true;
    }
  }

  private takeRegular(kind: number, value: number, text: string | undefined): void {
    const again = (this.seen & (1 << kind)) !== 0;
    this.seen |= REGULAR | (1 << kind);
    switch (kind) {
      case Kind.CONTENT_TYPE:
        if (!again) this.contentType = value;
        return;
      case Kind.TIMEOUT:
        if (!again) this.timeoutMs = value;
        return;
      case Kind.ENCODING:
        if (!again) this.encoding = value;
        return;
      case Kind.TRACEPARENT:
        if (!again) this.traceparent = text;
        return;
      case Kind.CONTENT_LENGTH:
        if (value === BAD_VALUE || (again && value !== this.contentLength)) this.malformed = true;
        this.contentLength = value;
        return;
      case Kind.TE:
        if (value === BAD_VALUE) this.malformed = true;
        return;
      default:
        this.malformed = true;
    }
  }
}
