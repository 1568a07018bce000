/** Waits for a condition instead of for a time. */

/**
 * Asks `check` until it returns something other than undefined or false, and returns that.
 * Rejects with the last error that `check` threw, or with what was awaited, when `timeoutMs` passes.
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const giveUpAtMs = performance.now() + timeoutMs;
  let failure: unknown;
  for (;;) {
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
      failure = undefined;
    } catch (thrown) {
      failure = thrown;
    }
    if (performance.now() > giveUpAtMs) {
      throw new Error(`${what}: not so after ${timeoutMs} ms`, { cause: failure });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
