/** Work that Ctrl-C and SIGTERM stop. */

/**
 * Gives work a signal that Ctrl-C and SIGTERM abort. When one came, the process ends by that signal once the work has
 * cleaned up, as a shell expects it.
 */
export async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stopped = new AbortController();
  let by: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    by ??= signal;
    stopped.abort(new Error(`stopped by ${signal}`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    await work(stopped.signal);
  } catch (thrown) {
    if (by === undefined) throw thrown;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
  if (by !== undefined) process.kill(process.pid, by);
}
