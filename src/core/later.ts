/**
 * An answer that comes later, for paths too hot for promises: it settles its one listener at once, in the same turn, and
 * costs one object a step. Whoever does not mind awaits it as any other thenable.
 */

/** Told what an answer came to. Neither method may throw: it would be thrown at whoever settles the answer. */
export interface Follower<T> {
  taken(value: T): void;
  lost(reason: unknown): void;
}

const enum State {
  WAITING,
  RESOLVED,
  REJECTED,
}

/** See the file's head. It has one listener: `follow`, `map`, `done` or `then`, called once. */
export class Later<T> implements PromiseLike<T> {
  /** Tells that nobody waits for the answer any more; it settles all the same. */
  cancel: (() => void) | undefined = undefined;
  #state: State = State.WAITING;
  /** The value, or the reason of the failure. */
  #end: unknown = undefined;
  #follower: Follower<T> | undefined = undefined;

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
    if (this.#state !== State.WAITING) return;
    this.#state = State.RESOLVED;
    if (this.#follower === undefined) this.#end = value;
    else this.#follower.taken(value);
  }

  /** Settles it as failed. */
  reject(reason: unknown): void {
    if (this.#state !== State.WAITING) return;
    this.#state = State.REJECTED;
    if (this.#follower === undefined) this.#end = reason;
    else this.#follower.lost(reason);
  }

  /** Listens. Neither function may throw. @param failed told of a failure. */
  done(listener: (value: T) => void, failed: (reason: unknown) => void): void {
    this.follow({ taken: listener, lost: failed });
  }

  /**
   * What this comes to by a function, which may throw, or answer later too. Cancelling it cancels this.
   * @param failed what a failure comes to; it stays a failure when absent.
   */
  map<U>(fulfilled: (value: T) => U | Later<U>, failed?: (reason: unknown) => U | Later<U>): Later<U> {
    const next = new Mapped(fulfilled, failed);
    next.cancel = this.cancel;
    this.follow(next);
    return next;
  }

  /** Awaits it, as a promise does. */
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise<T>((resolve, reject) => this.done(resolve, reject)).then(fulfilled, rejected);
  }

  /** Has an object told, which costs less than two functions. */
  follow(follower: Follower<T>): void {
    if (this.#state === State.WAITING) this.#follower = follower;
    else if (this.#state === State.RESOLVED) follower.taken(this.#end as T);
    else follower.lost(this.#end);
  }
}

/** What an answer comes to by a function. */
class Mapped<T, U> extends Later<U> implements Follower<T> {
  constructor(
    private readonly fulfilled: (value: T) => U | Later<U>,
    private readonly failed: ((reason: unknown) => U | Later<U>) | undefined,
  ) {
    super();
  }

  taken(value: T): void {
    let result: U | Later<U>;
    try {
      result = this.fulfilled(value);
    } catch (thrown) {
      this.reject(thrown);
      return;
    }
    this.resolve(result);
  }

  lost(reason: unknown): void {
    if (this.failed === undefined) {
      this.reject(reason);
      return;
    }
    let result: U | Later<U>;
    try {
      result = this.failed(reason);
    } catch (thrown) {
      this.reject(thrown);
      return;
    }
    this.resolve(result);
  }
}
