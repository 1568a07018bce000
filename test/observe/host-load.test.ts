import { performance } from 'node:perf_hooks';
import { groupFigures, type TextReader } from '../../src/observe/control-group';
import { HostLoad } from '../../src/observe/host-load';
import { LoopDelay } from '../../src/observe/loop-delay';
import { coreCount, cpuTicks, diskBytes, memoryInfo, networkBytes } from '../../src/observe/proc-figures';
import { until } from '../parts/until';

const GIB = 1_073_741_824;

const STAT =
  'cpu  100 20 30 400 50 5 6 7 8 9\ncpu0 50 10 15 200 25 2 3 3 4 4\ncpu1 50 10 15 200 25 3 3 4 4 5\nintr 1 2\n';
const MEMINFO = 'MemTotal:       8388608 kB\nMemFree:        1048576 kB\nMemAvailable:   2097152 kB\n';
const DISKSTATS = [
  '   7       0 loop0 9 0 800 0 9 0 800 0 0 0 0',
  '   8       0 sda 10 0 100 0 20 0 200 0 0 0 0',
  '   8       1 sda1 10 0 90 0 20 0 190 0 0 0 0',
  ' 259       0 nvme0n1 10 0 1000 0 20 0 2000 0 0 0 0',
  ' 259       1 nvme0n1p1 10 0 1000 0 20 0 2000 0 0 0 0',
  ' 259       2 nvme0n2 1 0 1 0 1 0 1 0 0 0 0',
  ' 253       0 dm-0 10 0 100 0 20 0 200 0 0 0 0',
  'nonsense',
].join('\n');
const NET = [
  'Inter-|   Receive                                                |  Transmit',
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
  '    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0',
  '  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0',
  '  eth0.7: 500 1 0 0 0 0 0 0 500 1 0 0 0 0 0 0',
  'wlan0:30 1 0 0 0 0 0 0 40 1 0 0 0 0 0 0',
  'veth12: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0',
].join('\n');

/** A host of text. */
function host(files: Readonly<Record<string, string>>): TextReader {
  return (path) => Promise.resolve(files[path]);
}

describe('the texts of /proc', () => {
  test('give the busy and whole time of all cores', () => {
    expect(cpuTicks(STAT)).toEqual({ busy: 168, total: 618 });
    expect(coreCount(STAT)).toBe(2);
  });

  test('give the memory', () => {
    expect(memoryInfo(MEMINFO)).toEqual({ totalBytes: 8 * GIB, availableBytes: 2 * GIB });
  });

  test('give the bytes of disks, each once', () => {
    expect(diskBytes(DISKSTATS)).toEqual({ in: 1_101 * 512, out: 2_201 * 512 });
  });

  test('give the bytes of links, each once', () => {
    expect(networkBytes(NET)).toEqual({ in: 1_030, out: 2_040 });
  });

  test.each(['', 'cpu', 'cpu  x y z', '\0\0', 'a: b\n'.repeat(50)])(
    'are unknown where they are nonsense: %j',
    (text) => {
      expect(cpuTicks(text).total).toBeNaN();
      expect(memoryInfo(text).totalBytes).toBeNaN();
      expect(diskBytes(text)).toEqual({ in: NaN, out: NaN });
      expect(networkBytes(text)).toEqual({ in: NaN, out: NaN });
    },
  );
});

const UNIFIED = {
  '/proc/self/cgroup': '0::/kube/pod/one\n',
  '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
  '/sys/fs/cgroup/kube/pod/memory.max': `${2 * GIB}\n`,
  '/sys/fs/cgroup/kube/pod/one/memory.max': 'max\n',
  '/sys/fs/cgroup/kube/pod/one/memory.current': `${GIB}\n`,
  '/sys/fs/cgroup/kube/pod/one/memory.stat': `anon 1\ninactive_file ${GIB / 2}\n`,
  '/sys/fs/cgroup/kube/pod/one/cpu.max': '150000 100000\n',
  '/sys/fs/cgroup/kube/pod/one/cpu.stat': 'usage_usec 2000000\nuser_usec 1\n',
};
const SEPARATE = {
  '/proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n',
  '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${GIB}\n`,
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  '/sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes': `${GIB / 2}\n`,
  '/sys/fs/cgroup/memory/docker/abc/memory.stat': `cache 5\ntotal_inactive_file ${GIB / 4}\n`,
  '/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us': '50000\n',
  '/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/cpuacct/docker/abc/cpuacct.usage': '7000000000\n',
};

describe('the control group', () => {
  test('of version 2: the tightest limit above it, and what it uses without what it would give up', async () => {
    await expect(groupFigures(host(UNIFIED))).resolves.toEqual({
      memoryLimitBytes: 2 * GIB,
      memoryUsedBytes: GIB / 2,
      cpuLimitCores: 1.5,
      cpuUsedMs: 2_000,
    });
  });

  test('of version 2, seen from within a container, where its path is the host’s', async () => {
    const within = {
      '/proc/self/cgroup': '0::/../elsewhere\n',
      '/sys/fs/cgroup/cgroup.controllers': 'cpu\n',
      '/sys/fs/cgroup/memory.max': '1000\n',
      '/sys/fs/cgroup/memory.current': '400\n',
      '/sys/fs/cgroup/cpu.max': 'max 100000\n',
    };
    await expect(groupFigures(host(within))).resolves.toEqual({
      memoryLimitBytes: 1_000,
      memoryUsedBytes: 400,
      cpuLimitCores: NaN,
      cpuUsedMs: NaN,
    });
  });

  test('of version 1', async () => {
    await expect(groupFigures(host(SEPARATE))).resolves.toEqual({
      memoryLimitBytes: GIB,
      memoryUsedBytes: GIB / 4,
      cpuLimitCores: 0.5,
      cpuUsedMs: 7_000,
    });
  });

  test.each([{}, { '/proc/self/cgroup': 'nonsense' }, { '/proc/self/cgroup': `0::${'/x'.repeat(500)}` }])(
    'is without limits where there is none: %j',
    async (files) => {
      const figures = await groupFigures(host(files));
      expect(figures.memoryLimitBytes).toBeNaN();
      expect(figures.cpuLimitCores).toBeNaN();
    },
  );
});

describe('the load', () => {
  const plain: Record<string, string> = {
    '/proc/stat': STAT,
    '/proc/meminfo': MEMINFO,
    '/proc/diskstats': DISKSTATS,
    '/proc/net/dev': NET,
  };

  async function twice(first: Record<string, string>, second: Record<string, string>) {
    let files = first;
    let nowMs = 1_000;
    const load = new HostLoad({
      clock: { monotonicMs: () => nowMs },
      read: (path) => Promise.resolve(files[path]),
      platform: 'linux',
    });
    try {
      const one = await load.sample();
      files = second;
      nowMs = 3_000;
      return [one, await load.sample()] as const;
    } finally {
      load.close();
    }
  }

  test('is of the host where nothing limits the group', async () => {
    const [first, second] = await twice(plain, {
      ...plain,
      '/proc/stat': STAT.replace('cpu  100 20 30 400', 'cpu  110 20 30 420'),
      '/proc/net/dev': NET.replace('1000 1', '3000 1').replace('2000 1', '2500 1'),
      '/proc/diskstats': DISKSTATS.replace('sda 10 0 100', 'sda 10 0 104'),
    });
    expect(first).toMatchObject({
      cpu: NaN,
      memory: 0.75,
      diskReadBytesPerS: NaN,
      networkSentBytesPerS: NaN,
    });
    expect(second.cpu).toBeCloseTo(10 / 30);
    expect(second).toMatchObject({
      memory: 0.75,
      diskReadBytesPerS: 1_024,
      diskWriteBytesPerS: 0,
      networkReceivedBytesPerS: 1_000,
      networkSentBytesPerS: 250,
    });
  });

  test('is of what the group may use where that is less than the host has', async () => {
    const [, second] = await twice(
      { ...plain, ...UNIFIED },
      { ...plain, ...UNIFIED, '/sys/fs/cgroup/kube/pod/one/cpu.stat': 'usage_usec 3500000\n' },
    );
    expect(second.cpu).toBeCloseTo(1_500 / 3_000);
    expect(second.memory).toBeCloseTo(0.25);
  });

  test('is of the host where the group may use more than there is', async () => {
    const wide = {
      '/sys/fs/cgroup/kube/pod/one/cpu.max': '800000 100000',
      '/sys/fs/cgroup/kube/pod/memory.max': `${64 * GIB}`,
    };
    const [, second] = await twice({ ...plain, ...UNIFIED, ...wide }, { ...plain, ...UNIFIED, ...wide });
    expect(second.memory).toBeCloseTo(0.75);
    expect(second.cpu).toBeNaN();
  });

  test('has no rate for a counter that went back', async () => {
    const [, second] = await twice(plain, { ...plain, '/proc/net/dev': NET.replace('1000 1', '10 1') });
    expect(second.networkReceivedBytesPerS).toBeNaN();
    expect(second.networkSentBytesPerS).toBe(0);
  });

  test('is unknown, and nothing fails, where nothing can be read', async () => {
    const [, second] = await twice({}, {});
    expect({ ...second, eventLoopDelayMs: 0 }).toEqual({
      cpu: NaN,
      memory: NaN,
      diskReadBytesPerS: NaN,
      diskWriteBytesPerS: NaN,
      networkReceivedBytesPerS: NaN,
      networkSentBytesPerS: NaN,
      eventLoopDelayMs: 0,
    });
  });

  test.each([process.platform, 'darwin', 'win32'] as const)(
    'is read on this machine as on %s',
    async (platform) => {
      const load = new HostLoad({ clock: { monotonicMs: () => performance.now() }, platform });
      try {
        await load.sample();
        let sample = await load.sample();
        await until('a busy moment', async () => {
          sample = await load.sample();
          return sample.cpu > 0;
        });
        expect(sample.cpu).toBeLessThanOrEqual(1);
        expect(sample.memory).toBeGreaterThan(0);
        expect(sample.memory).toBeLessThan(1);
        if (platform === 'linux') expect(sample.networkReceivedBytesPerS).toBeGreaterThanOrEqual(0);
      } finally {
        load.close();
      }
    },
  );
});

describe('the delay of the event loop', () => {
  const block = (forMs: number): void => {
    const fromMs = performance.now();
    while (performance.now() - fromMs < forMs);
  };

  test.each(['at once', 'later'] as const)(
    'is seen when it comes %s after it was asked last',
    async (when) => {
      const delay = new LoopDelay();
      try {
        delay.take();
        if (when === 'later') await new Promise((resolve) => setTimeout(resolve, 60));
        block(150);
        await new Promise((resolve) => setTimeout(resolve, 30));
        expect(delay.take()).toBeGreaterThan(100);
      } finally {
        delay.close();
      }
    },
  );
});
