/** Answers that come later, and that whoever waits for them may do without. */

/** A promise that may be told that nobody waits for it any more; it settles all the same. */
export interface Cancellable<T> extends Promise<T> {
  cancel?: () => void;
}

/** As `then`, and what comes of it can be cancelled as what it came from. */
export function thenCancellable<T, U>(
  promise: Cancellable<T>,
  fulfilled: (value: T) => U,
  rejected?: (reason: unknown) => U,
): Cancellable<U> {
  const next: Cancellable<U> = promise.then(fulfilled, rejected);
  if (promise.cancel !== undefined) next.cancel = promise.cancel;
  return next;
}
