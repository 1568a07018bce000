/**
 * The load of the host: of Linux from /proc and the control group, elsewhere what Node knows. Never throws: what cannot be
 * read is NaN.
 */
import { readFile } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../core/clock';
import type { HostSample } from '../core/observation';
import { groupFigures, type GroupFigures, type TextReader } from './control-group';
import { LoopDelay } from './loop-delay';
import {
  coreCount,
  cpuTicks,
  diskBytes,
  memoryInfo,
  networkBytes,
  type ByteFlow,
  type CpuTicks,
} from './proc-figures';

/** What the load is read from. */
export interface HostLoadParts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Reads a file as text; undefined where it cannot. */
  readonly read?: TextReader;
  readonly platform?: NodeJS.Platform;
}

/** Figures that only count up. */
interface Totals {
  readonly atMs: number;
  readonly ticks: CpuTicks;
  readonly groupCpuMs: number;
  readonly disk: ByteFlow;
  readonly network: ByteFlow;
}

const UNKNOWN: ByteFlow = { in: NaN, out: NaN };
/** The kernel's files are short; another that stands in their place is not read to its end. */
const MAX_TEXT_BYTES = 4_194_304;

/** Samples the load; see the file's head. */
export class HostLoad {
  private readonly delay = new LoopDelay();
  private readonly read: TextReader;
  private readonly linux: boolean;
  private before: Totals | undefined;
  private running: Promise<HostSample> | undefined;

  constructor(private readonly parts: HostLoadParts) {
    this.read = parts.read ?? readText;
    this.linux = (parts.platform ?? process.platform) === 'linux';
  }

  /** The load since the last call; rates are NaN on the first. A call while one is under way gets its sample. */
  sample(): Promise<HostSample> {
    this.running ??= this.measure().finally(() => (this.running = undefined));
    return this.running;
  }

  close(): void {
    this.delay.close();
  }

  private async measure(): Promise<HostSample> {
    // Timers that are due have run then, so that a delay that held up this call is among those measured.
    await nextTurn();
    const eventLoopDelayMs = this.delay.take();
    const [figures, group] = this.linux
      ? await Promise.all([this.linuxFigures(), groupFigures(this.read)])
      : [elsewhere(), NO_GROUP];
    const now: Totals = { ...figures, atMs: this.parts.clock.monotonicMs(), groupCpuMs: group.cpuUsedMs };
    const { before } = this;
    this.before = now;
    const disk = ratesOf(before?.disk, now.disk, before?.atMs, now.atMs);
    const network = ratesOf(before?.network, now.network, before?.atMs, now.atMs);
    return {
      cpu: cpuLoad(before, now, group.cpuLimitCores, figures.cores),
      memory: memoryLoad(figures, group),
      diskReadBytesPerS: disk.in,
      diskWriteBytesPerS: disk.out,
      networkReceivedBytesPerS: network.in,
      networkSentBytesPerS: network.out,
      eventLoopDelayMs,
    };
  }

  private async linuxFigures(): Promise<HostFigures> {
    const [stat = '', meminfo = '', diskstats = '', dev = ''] = await Promise.all(
      ['/proc/stat', '/proc/meminfo', '/proc/diskstats', '/proc/net/dev'].map((path) => this.read(path)),
    );
    return {
      ticks: cpuTicks(stat),
      cores: coreCount(stat),
      ...memoryInfo(meminfo),
      disk: diskBytes(diskstats),
      network: networkBytes(dev),
    };
  }
}

interface HostFigures extends Omit<Totals, 'atMs' | 'groupCpuMs'> {
  readonly cores: number;
  readonly totalBytes: number;
  readonly availableBytes: number;
}

const NO_GROUP: GroupFigures = {
  memoryLimitBytes: NaN,
  memoryUsedBytes: NaN,
  cpuLimitCores: NaN,
  cpuUsedMs: NaN,
};

function elsewhere(): HostFigures {
  const cores = cpus();
  let [busy, total] = [0, 0];
  for (const { times } of cores) {
    busy += times.user + times.nice + times.sys + times.irq;
    total += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  const ticks = { busy, total };
  const memory = { totalBytes: totalmem(), availableBytes: freemem() };
  return { ticks, cores: cores.length, ...memory, disk: UNKNOWN, network: UNKNOWN };
}

/** Of what the group may use, where that is less than the host has; else of the host. */
function cpuLoad(before: Totals | undefined, now: Totals, limitCores: number, cores: number): number {
  if (before === undefined) return NaN;
  if (limitCores < cores || (Number.isNaN(cores) && limitCores > 0)) {
    return part(now.groupCpuMs - before.groupCpuMs, (now.atMs - before.atMs) * limitCores);
  }
  return part(now.ticks.busy - before.ticks.busy, now.ticks.total - before.ticks.total);
}

function memoryLoad(host: HostFigures, group: GroupFigures): number {
  if (
    group.memoryLimitBytes < host.totalBytes ||
    (Number.isNaN(host.totalBytes) && group.memoryLimitBytes > 0)
  ) {
    return part(group.memoryUsedBytes, group.memoryLimitBytes);
  }
  return part(host.totalBytes - host.availableBytes, host.totalBytes);
}

/** A part of a whole, 0 to 1; NaN of nothing. */
function part(some: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, some / whole)) : NaN;
}

/** Bytes a second; NaN where a counter went back, as it does when a disk or a link goes. */
function ratesOf(
  before: ByteFlow | undefined,
  now: ByteFlow,
  fromMs: number | undefined,
  toMs: number,
): ByteFlow {
  if (before === undefined || fromMs === undefined || !(toMs > fromMs)) return UNKNOWN;
  const rate = (from: number, to: number): number =>
    to >= from ? ((to - from) / (toMs - fromMs)) * 1_000 : NaN;
  return { in: rate(before.in, now.in), out: rate(before.out, now.out) };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return text.length <= MAX_TEXT_BYTES ? text : undefined;
  } catch {
    return undefined;
  }
}
