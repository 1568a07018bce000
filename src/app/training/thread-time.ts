/** CPU time of the thread that asks. */
import { readFileSync } from 'node:fs';

const NS_PER_MS = 1e6;
const US_PER_MS = 1e3;

/** Where the kernel says how long the thread that reads it has run, ns (Linux, proc(5)). */
const SCHEDSTAT = '/proc/thread-self/schedstat';

/** Newer versions of Node say it themselves. */
interface ThreadCpuProcess {
  threadCpuUsage?: () => { readonly user: number; readonly system: number };
}

/**
 * CPU time of this thread since some moment, ms. Where neither Node nor the kernel tells a thread's own, it is the time that
 * passes: what it is a budget for then ends early, never late.
 */
export function threadCpuMs(): number {
  const { threadCpuUsage } = process as ThreadCpuProcess;
  if (threadCpuUsage !== undefined) {
    const { user, system } = threadCpuUsage.call(process);
    return (user + system) / US_PER_MS;
  }
  try {
    const ns = Number(readFileSync(SCHEDSTAT, 'latin1').split(' ')[0]);
    if (Number.isFinite(ns)) return ns / NS_PER_MS;
  } catch {
    // Another system, or a kernel without the figure.
  }
  return performance.now();
}
