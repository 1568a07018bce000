/** The host of a control thread that never says anything. */
import { EventEmitter } from 'node:events';
import { ControlThreadHost } from '../../../src/app/forecasting/control-host';
import { loaded } from '../../config/load';
import { recordedLogger } from './recorded-logger';

jest.mock('node:worker_threads', () => ({
  ...jest.requireActual<object>('node:worker_threads'),
  Worker: class extends EventEmitter {
    postMessage(): void {
      // It is stuck.
    }
    async terminate(): Promise<number> {
      this.emit('exit', 1);
      return 1;
    }
  },
}));

afterEach(() => {
  jest.useRealTimers();
});

it('ends while the thread has not even begun, and leaves nothing that keeps the process alive', async () => {
  jest.useFakeTimers();
  const { logger } = recordedLogger();
  const { settings } = loaded({});
  const host = new ControlThreadHost(
    { controlThread: true, settings, source: 'one' },
    { logger, figures: () => undefined },
  );
  const started = host.start();
  const asked = expect(host.ask('status', {})).rejects.toMatchObject({ code: 'TG_FORECAST_UNAVAILABLE' });
  const closed = host.close();
  await jest.advanceTimersByTimeAsync(10_000);
  await Promise.all([started, closed, asked]);
  expect(jest.getTimerCount()).toBe(0);
});
