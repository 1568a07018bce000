/** Signals of Prometheus and Jaeger, from the settings. */
import type { Settings } from '../../config/settings-shape';
import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/ports';
import { JaegerSignals } from '../../observe/jaeger-signals';
import { Signals } from '../../observe/signals';
import type { SignalBatch } from '../../observe/signal-series';
import { authorization } from '../../remote/http-client';
import { JaegerClient } from '../../remote/jaeger-client';
import { PrometheusClient } from '../../remote/prometheus-client';

/** The longest answer to a query of Prometheus that is read. */
const MAX_ANSWER_BYTES = 16_777_216;
/** The longest answer of traces: they are read in one go, beside other work. */
const MAX_TRACES_BYTES = 8_388_608;

/** What asks. */
export interface AskedSignals {
  stop(): void;
}

/** Begins to ask, where there is anything to ask for. */
export function startSignals(
  settings: Settings,
  clock: Clock,
  logger: Logger,
  take: (batch: SignalBatch) => void,
): AskedSignals | undefined {
  const parts = { clock, logger, take, random: Math.random };
  const asked = [prometheus(settings, parts), jaeger(settings, parts)].filter((one) => one !== undefined);
  if (asked.length === 0) return undefined;
  for (const one of asked) one.start();
  return {
    stop: () => {
      for (const one of asked) one.stop();
    },
  };
}

interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly take: (batch: SignalBatch) => void;
  readonly random: () => number;
}

function prometheus(settings: Settings, parts: Parts): Signals | undefined {
  const { url, username, password, token, timeoutMs, signals } = settings.observe.prometheus;
  if (url === '' || signals.length === 0) return undefined;
  const headers = authorization({ username, password, token });
  const source = new PrometheusClient({ url, headers, timeoutMs, maxBytes: MAX_ANSWER_BYTES });
  return new Signals(signals, { ...parts, source });
}

function jaeger(settings: Settings, parts: Parts): JaegerSignals | undefined {
  const { url, username, password, token, timeoutMs, services, ...options } = settings.observe.jaeger;
  if (url === '' || services.length === 0) return undefined;
  const headers = authorization({ username, password, token });
  const source = new JaegerClient({ url, headers, timeoutMs, maxBytes: MAX_TRACES_BYTES });
  return new JaegerSignals({ ...options, services }, { ...parts, source });
}
