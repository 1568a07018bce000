/** Signals of Prometheus, from the settings. */
import type { Settings } from '../../config/settings-shape';
import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/ports';
import { Signals } from '../../observe/signals';
import type { SignalBatch } from '../../observe/signal-series';
import { authorization } from '../../remote/http-client';
import { PrometheusClient } from '../../remote/prometheus-client';

/** The longest answer to a query that is read. */
const MAX_ANSWER_BYTES = 16_777_216;

/** Begins to ask, where there is anything to ask for. */
export function startSignals(
  settings: Settings,
  clock: Clock,
  logger: Logger,
  take: (batch: SignalBatch) => void,
): Signals | undefined {
  const { url, username, password, token, timeoutMs, signals } = settings.observe.prometheus;
  if (url === '' || signals.length === 0) return undefined;
  const headers = authorization({ username, password, token });
  const source = new PrometheusClient({ url, headers, timeoutMs, maxBytes: MAX_ANSWER_BYTES });
  const asked = new Signals(signals, { source, clock, take, logger, random: Math.random });
  asked.start();
  return asked;
}
