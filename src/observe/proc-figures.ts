/**
 * What Linux says of its load, as text in, figures out (proc(5), Documentation/admin-guide/iostats.rst). A figure that the
 * text does not have is NaN.
 */

/** Time of all cores since boot, in ticks. */
export interface CpuTicks {
  readonly busy: number;
  readonly total: number;
}

/** Bytes since boot, both ways. */
export interface ByteFlow {
  readonly in: number;
  readonly out: number;
}

/** A sector of /proc/diskstats, whatever the disk's own are. */
const SECTOR_BYTES = 512;
/** Not disks of their own: what they hold lies on others, or in memory. */
const NO_DISK = /^(?:loop|ram|zram|dm-|md|sr|fd)\d/;
/** Not links of their own: what passes them passes another link too, or stays in the host. */
const NO_LINK = /^(?:lo$|veth|docker|br-|virbr|cni|flannel|cali|ifb|dummy|bond|tunl|sit|ip6tnl)/;

/** The first line of /proc/stat. Waiting for a disk is idle; a guest's time is in its host's already. */
export function cpuTicks(stat: string): CpuTicks {
  const ticks = /^cpu\s+(.+)$/m.exec(stat)?.[1]?.trim().split(/\s+/).map(Number) ?? [];
  const [user = NaN, nice = NaN, system = NaN, idle = NaN, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    ticks;
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, total: busy + idle + iowait };
}

/** Cores that /proc/stat lists. */
export function coreCount(stat: string): number {
  return stat.match(/^cpu\d+\s/gm)?.length ?? NaN;
}

/** Bytes of /proc/meminfo: all, and what could be had without swapping. */
export function memoryInfo(meminfo: string): {
  readonly totalBytes: number;
  readonly availableBytes: number;
} {
  const bytes = (name: string): number => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1];
    return kib === undefined ? NaN : Number(kib) * 1_024;
  };
  return { totalBytes: bytes('MemTotal'), availableBytes: bytes('MemAvailable') };
}

/** What all disks of /proc/diskstats read (in) and wrote (out); partitions are part of their disk. */
export function diskBytes(diskstats: string): ByteFlow {
  const disks: string[] = [];
  let [read, written] = [0, 0];
  for (const line of diskstats.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const name = fields[2];
    const sectors = [Number(fields[5]), Number(fields[9])] as const;
    if (name === undefined || NO_DISK.test(name) || !sectors.every(Number.isFinite)) continue;
    if (disks.some((disk) => isPartition(name, disk))) continue;
    disks.push(name);
    read += sectors[0] * SECTOR_BYTES;
    written += sectors[1] * SECTOR_BYTES;
  }
  return disks.length === 0 ? { in: NaN, out: NaN } : { in: read, out: written };
}

/** `sda1` of `sda`, `nvme0n1p1` of `nvme0n1`: where the disk's name ends in a digit there is a `p` between. */
function isPartition(name: string, disk: string): boolean {
  if (!name.startsWith(disk)) return false;
  return (/\d$/.test(disk) ? /^p\d+$/ : /^\d+$/).test(name.slice(disk.length));
}

/** What all links of /proc/net/dev received (in) and sent (out); a VLAN's bytes are its link's. */
export function networkBytes(dev: string): ByteFlow {
  let [links, received, sent] = [0, 0, 0];
  for (const line of dev.split('\n')) {
    const match = /^\s*([^\s:]+):\s*(.+)$/.exec(line);
    const name = match?.[1] ?? '';
    const figures = match?.[2]?.trim().split(/\s+/).map(Number) ?? [];
    const flow = [figures[0] ?? NaN, figures[8] ?? NaN] as const;
    if (match === null || NO_LINK.test(name) || name.includes('.') || !flow.every(Number.isFinite)) continue;
    links += 1;
    received += flow[0];
    sent += flow[1];
  }
  return links === 0 ? { in: NaN, out: NaN } : { in: received, out: sent };
}
