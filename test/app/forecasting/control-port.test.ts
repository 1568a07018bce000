/** The control port where the control thread has it: bound before it is told, bound again at the same place, refused with the reason. */
import { EventEmitter } from 'node:events';
import { ControlThreadHost } from '../../../src/app/forecasting/control-host';
import type { ControlSetup, FromControl, ToControl } from '../../../src/app/forecasting/messages';
import { loaded } from '../../config/load';
import { recordedLogger } from './recorded-logger';

class FakeThread extends EventEmitter {
  readonly posted: ToControl[] = [];
  constructor(readonly setup: ControlSetup) {
    super();
  }
  tell(message: FromControl): void {
    this.emit('message', message);
  }
  postMessage(message: ToControl): void {
    this.posted.push(message);
    if (message.kind === 'stop') this.tell({ kind: 'stopped' });
  }
  async terminate(): Promise<number> {
    return 0;
  }
}

const mockThreads: FakeThread[] = [];
const mockThread = (setup: ControlSetup): FakeThread => {
  const thread = new FakeThread(setup);
  mockThreads.push(thread);
  return thread;
};
jest.mock('node:worker_threads', () => ({
  ...jest.requireActual<object>('node:worker_threads'),
  Worker: function (_file: string, { workerData }: { workerData: ControlSetup }) {
    return mockThread(workerData);
  },
}));

let host: ControlThreadHost;
beforeEach(() => {
  jest.useFakeTimers();
  mockThreads.length = 0;
  const { logger } = recordedLogger();
  const { settings } = loaded({});
  host = new ControlThreadHost(
    { controlThread: true, settings, source: 'one' },
    { logger, figures: () => undefined },
  );
});
afterEach(async () => {
  await host.close();
  jest.useRealTimers();
});

const ADDRESS = { address: '127.0.0.1:4711', port: 4711 };

test('begins the thread, and is bound where the thread says', async () => {
  const bound = host.port.listen();
  expect(mockThreads).toHaveLength(1);
  expect(mockThreads[0]?.setup.controlPort).toBeUndefined();
  mockThreads[0]?.tell({ kind: 'listening', address: ADDRESS });
  expect(await bound).toEqual(ADDRESS);
  await host.close();
});

test('is refused with what the thread says, its place too', async () => {
  const bound = host.port.listen();
  const error = {
    code: 'TG_MESH_UNKNOWN_FIELD' as const,
    message: 'no such field',
    remedy: 'take its name from the API',
    at: { file: 'routes.yaml', key: 'resources[0]' },
  };
  mockThreads[0]?.tell({ kind: 'listen-failed', error });
  await expect(bound).rejects.toMatchObject(error);
});

test('is given up when the thread says nothing for half a minute', async () => {
  const bound = expect(host.port.listen()).rejects.toMatchObject({ code: 'TG_LISTEN' });
  await jest.advanceTimersByTimeAsync(30_000);
  await bound;
});

test('a thread that is begun anew binds the same port, and is told again what it has to know', async () => {
  const bound = host.port.listen();
  const [first] = mockThreads;
  first?.tell({ kind: 'listening', address: ADDRESS });
  await bound;
  host.serving(true);
  host.useTargets([{ id: 'shop.a' } as never]);
  first?.emit('exit', 1);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(mockThreads).toHaveLength(2);
  const second = mockThreads[1];
  expect(second?.setup.controlPort).toBe(4711);
  expect(second?.posted).toEqual([
    { kind: 'targets', buckets: [{ id: 'shop.a' }] },
    { kind: 'serving', serving: true },
  ]);
  await host.close();
});
