/**
 * An answer that comes later, for paths too hot for promises: it settles its one listener at once, in the same turn, and
 * costs one object a step. Whoever does not mind awaits it as any other thenable.
 */

type Listener<T> = (value: T) => void;
type Failed = (reason: unknown) => void;

const enum State {
  WAITING,
  RESOLVED,
  REJECTED,
}

/** See the file's head. It has one listener: `map`, `done` or `then`, called once. */
export class Later<T> implements PromiseLike<T> {
  /** Tells that nobody waits for the answer any more; it settles all the same. */
  cancel: (() => void) | undefined;
  private state: State = State.WAITING;
  private value: T | undefined;
  private reason: unknown;
  private listener: Listener<T> | undefined;
  private failed: Failed | undefined;

  /** What a promise comes to; one that is of this kind already stays itself. */
  static from<T>(promise: PromiseLike<T>): Later<T> {
    if (promise instanceof Later) return promise as Later<T>;
    const later = new Later<T>();
    promise.then(
      (value) => later.resolve(value),
      (reason: unknown) => later.reject(reason),
    );
    return later;
  }

  /** Settles it, or lets it be settled by another one; what has settled stays as it is. */
  resolve(value: T | Later<T>): void {
    if (value instanceof Later) {
      this.cancel ??= value.cancel;
      value.done(
        (settled) => this.resolve(settled),
        (reason) => this.reject(reason),
      );
      return;
    }
    if (this.state !== State.WAITING) return;
    this.state = State.RESOLVED;
    const { listener } = this;
    if (listener === undefined) this.value = value;
    else listener(value);
  }

  /** Settles it as failed. */
  reject(reason: unknown): void {
    if (this.state !== State.WAITING) return;
    this.state = State.REJECTED;
    const { failed } = this;
    if (failed === undefined) this.reason = reason;
    else failed(reason);
  }

  /**
   * Listens. Neither function may throw: it would be thrown at whoever settles this.
   * @param failed told of a failure.
   */
  done(listener: Listener<T>, failed: Failed): void {
    if (this.state === State.RESOLVED) {
      listener(this.value as T);
    } else if (this.state === State.REJECTED) {
      failed(this.reason);
    } else {
      this.listener = listener;
      this.failed = failed;
    }
  }

  /**
   * What this comes to by a function, which may throw, or answer later too. Cancelling it cancels this.
   * @param failed what a failure comes to; it stays a failure when absent.
   */
  map<U>(fulfilled: (value: T) => U | Later<U>, failed?: (reason: unknown) => U | Later<U>): Later<U> {
    const next = new Later<U>();
    next.cancel = this.cancel;
    this.done(
      (value) => next.resolveBy(fulfilled, value),
      failed === undefined ? (reason) => next.reject(reason) : (reason) => next.resolveBy(failed, reason),
    );
    return next;
  }

  /** Awaits it, as a promise does. */
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise<T>((resolve, reject) => this.done(resolve, reject)).then(fulfilled, rejected);
  }

  private resolveBy<V>(by: (value: V) => T | Later<T>, value: V): void {
    let result: T | Later<T>;
    try {
      result = by(value);
    } catch (thrown) {
      this.reject(thrown);
      return;
    }
    this.resolve(result);
  }
}
