/**
 * An answer that comes later, for paths too hot for promises: it settles its one listener at once, in the same turn, and
 * costs one object a step. Whoever does not mind awaits it as any other thenable.
 */

/** Told what an answer came to. Neither may throw: it would be thrown at whoever settles the answer. */
interface Follower<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
}

const enum State {
  WAITING,
  RESOLVED,
  REJECTED,
}

/** See the file's head. It has one listener: `map`, `done` or `then`, called once. */
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
      value.#follow(this);
      return;
    }
    if (this.#state !== State.WAITING) return;
    this.#state = State.RESOLVED;
    if (this.#follower === undefined) this.#end = value;
    else this.#follower.resolve(value);
  }

  /** Settles it as failed. */
  reject(reason: unknown): void {
    if (this.#state !== State.WAITING) return;
    this.#state = State.REJECTED;
    if (this.#follower === undefined) this.#end = reason;
    else this.#follower.reject(reason);
  }

  /** Listens. Neither function may throw. @param failed told of a failure. */
  done(listener: (value: T) => void, failed: (reason: unknown) => void): void {
    this.#follow({ resolve: listener, reject: failed });
  }

  /**
   * What this comes to by a function, which may throw, or answer later too. Cancelling it cancels this.
   * @param failed what a failure comes to; it stays a failure when absent.
   */
  map<U>(fulfilled: (value: T) => U | Later<U>, failed?: (reason: unknown) => U | Later<U>): Later<U> {
    const next = new Later<U>();
    next.cancel = this.cancel;
    this.#follow(new Step(next, fulfilled, failed));
    return next;
  }

  /** Awaits it, as a promise does. */
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise<T>((resolve, reject) => this.done(resolve, reject)).then(fulfilled, rejected);
  }

  #follow(follower: Follower<T>): void {
    if (this.#state === State.WAITING) this.#follower = follower;
    else if (this.#state === State.RESOLVED) follower.resolve(this.#end as T);
    else follower.reject(this.#end);
  }
}

/** From one answer to the next. */
class Step<T, U> implements Follower<T> {
  constructor(
    private readonly next: Later<U>,
    private readonly fulfilled: (value: T) => U | Later<U>,
    private readonly failed: ((reason: unknown) => U | Later<U>) | undefined,
  ) {}

  resolve(value: T): void {
    let result: U | Later<U>;
    try {
      result = this.fulfilled(value);
    } catch (thrown) {
      this.next.reject(thrown);
      return;
    }
    this.next.resolve(result);
  }

  reject(reason: unknown): void {
    if (this.failed === undefined) {
      this.next.reject(reason);
      return;
    }
    let result: U | Later<U>;
    try {
      result = this.failed(reason);
    } catch (thrown) {
      this.next.reject(thrown);
      return;
    }
    this.next.resolve(result);
  }
}
