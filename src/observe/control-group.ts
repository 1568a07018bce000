/**
 * The limits and the use of the control group that this process is in, version 2 or 1 (Linux's
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/). In a container they, and not the host's figures, say how much
 * is left.
 */
import { posix } from 'node:path';

/** Reads a file as text; undefined where it cannot. */
export type TextReader = (path: string) => Promise<string | undefined>;

/** What the group may use and uses; NaN what is not limited or not known. */
export interface GroupFigures {
  readonly memoryLimitBytes: number;
  /** Without pages that would be given up first. */
  readonly memoryUsedBytes: number;
  /** Cores that it may keep busy. */
  readonly cpuLimitCores: number;
  /** CPU time used since the group was made. */
  readonly cpuUsedMs: number;
}

const ROOT = '/sys/fs/cgroup';
/** Version 1 writes "no limit" as the largest multiple of a page; anything near it is none. */
const NO_LIMIT_BYTES = 2 ** 60;
/** Nobody nests deeper. */
const MAX_DEPTH = 32;

/** Reads the group's figures. Never rejects. */
export async function groupFigures(read: TextReader): Promise<GroupFigures> {
  const membership = (await read('/proc/self/cgroup')) ?? '';
  const v2 = /^0::(.*)$/m.exec(membership)?.[1];
  if (v2 !== undefined && (await read(`${ROOT}/cgroup.controllers`)) !== undefined) {
    return unifiedFigures(read, v2);
  }
  return separateFigures(read, membership);
}

/** A limit holds for all below it: the tightest from the group up to the root. In a container the path may not be there. */
async function tightest(
  root: string,
  path: string,
  limitAt: (directory: string) => Promise<number>,
): Promise<number> {
  let limit = NaN;
  let below = posix.normalize(`/${path}`);
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const here = await limitAt(below === '/' ? root : root + below);
    if (!(here >= limit)) limit = Number.isNaN(here) ? limit : here;
    if (below === '/') break;
    below = posix.dirname(below);
  }
  return limit;
}

async function unifiedFigures(read: TextReader, path: string): Promise<GroupFigures> {
  const memoryLimitBytes = await tightest(ROOT, path, async (at) => amount(await read(`${at}/memory.max`)));
  const cpuLimitCores = await tightest(ROOT, path, async (at) => {
    const [quota, period] = ((await read(`${at}/cpu.max`)) ?? '').trim().split(/\s+/);
    return amount(quota) / amount(period);
  });
  const own = await existing(read, ROOT, path, 'memory.current');
  const used = amount(await read(`${own}/memory.current`));
  const inactive = named(await read(`${own}/memory.stat`), 'inactive_file');
  const cpuUs = named(await read(`${own}/cpu.stat`), 'usage_usec');
  return {
    memoryLimitBytes,
    memoryUsedBytes: Math.max(0, used - (Number.isNaN(inactive) ? 0 : inactive)),
    cpuLimitCores,
    cpuUsedMs: cpuUs / 1_000,
  };
}

async function separateFigures(read: TextReader, membership: string): Promise<GroupFigures> {
  const pathOf = (controller: string): string => {
    const line = membership
      .split('\n')
      .find((one) => one.split(':')[1]?.split(',').includes(controller) === true);
    return line?.split(':').slice(2).join(':') ?? '/';
  };
  const [memory, cpu, accounting] = [`${ROOT}/memory`, `${ROOT}/cpu`, `${ROOT}/cpuacct`];
  const memoryLimitBytes = await tightest(memory, pathOf('memory'), async (at) => {
    const limit = amount(await read(`${at}/memory.limit_in_bytes`));
    return limit < NO_LIMIT_BYTES ? limit : NaN;
  });
  const cpuLimitCores = await tightest(cpu, pathOf('cpu'), async (at) => {
    const quota = amount(await read(`${at}/cpu.cfs_quota_us`));
    return quota > 0 ? quota / amount(await read(`${at}/cpu.cfs_period_us`)) : NaN;
  });
  const own = await existing(read, memory, pathOf('memory'), 'memory.usage_in_bytes');
  const used = amount(await read(`${own}/memory.usage_in_bytes`));
  const inactive = named(await read(`${own}/memory.stat`), 'total_inactive_file');
  const counted = await existing(read, accounting, pathOf('cpuacct'), 'cpuacct.usage');
  return {
    memoryLimitBytes,
    memoryUsedBytes: Math.max(0, used - (Number.isNaN(inactive) ? 0 : inactive)),
    cpuLimitCores,
    cpuUsedMs: amount(await read(`${counted}/cpuacct.usage`)) / 1_000_000,
  };
}

/** The group's directory; the root where the path is another namespace's. */
async function existing(read: TextReader, root: string, path: string, file: string): Promise<string> {
  const directory = path === '/' ? root : root + posix.normalize(`/${path}`);
  return (await read(`${directory}/${file}`)) === undefined ? root : directory;
}

/** A number that stands alone; NaN for `max`, and for what is none. */
function amount(text: string | undefined): number {
  return /^-?\d+$/.test(text?.trim() ?? '') ? Number(text) : NaN;
}

/** The number on the line of a name. */
function named(text: string | undefined, name: string): number {
  const line = text?.split('\n').find((one) => one.startsWith(`${name} `));
  return amount(line?.slice(name.length + 1));
}
