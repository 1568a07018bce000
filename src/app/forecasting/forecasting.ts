/** Observation and forecasts as the serving thread sees them: counts per class, handed over once a second, and a desk. */
import type { Settings } from '../../config/settings-shape';
import type { Clock } from '../../core/clock';
import type { ControlDeskPort } from '../../core/control-desk';
import { TidegateError } from '../../core/errors';
import type { ForecastDesk } from '../../core/forecast-desk';
import type { ObservationBatch } from '../../core/observation';
import type { MeshDeskPort } from '../../core/mesh-view';
import type { Logger, Server } from '../../core/ports';
import type { AtOnceSum } from '../control/at-once';
import type { LimitTable } from '../../limiter/limit-table';
import type { RuleDemand, RulePlace } from '../../limiter/demand';
import { HostLoad } from '../../observe/host-load';
import { poolSetups } from '../control/pool-setup';
import { targetBuckets } from '../mesh/target-buckets';
import type { ControlHost, ControlHostMaker, ControlHostParts } from './control-host';
import { deskOff } from './desk-off';
import { createClassCounts, Observer, sourceName } from './observer';

/** What the rest of the process needs of it. */
export interface Forecasting {
  readonly desk: ForecastDesk;
  readonly control: ControlDeskPort;
  readonly mesh: MeshDeskPort;
  /** The control port; undefined where there is no thread for it. */
  readonly port?: Server;
  /** Whether the process serves. */
  serving(serving: boolean): void;
  /** Where the demand for a rule is counted. */
  readonly demandFor?: (place: RulePlace) => RuleDemand;
  /** Takes what another process of this Tidegate counted. */
  observe(batch: ObservationBatch): void;
  /** Takes what was borrowed at once. */
  borrowed(loans: readonly AtOnceSum[]): void;
  /** Rules come in use. */
  use(table: LimitTable): void;
  start(): Promise<void>;
  close(): Promise<void>;
}

const OFF: Forecasting = {
  desk: deskOff,
  control: {
    askControl: () => Promise.reject(new TidegateError('TG_CONTROL_OFF', '`forecast.enabled` is off')),
  },
  mesh: { askMesh: () => Promise.reject(new TidegateError('TG_MESH_OFF', '`forecast.enabled` is off')) },
  serving: () => undefined,
  observe: () => undefined,
  borrowed: () => undefined,
  use: () => undefined,
  start: async () => undefined,
  close: async () => undefined,
};

/** What it stands on. */
export interface ForecastingParts extends ControlHostParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly makeHost: ControlHostMaker;
}

/** Puts it together; nothing where `forecast.enabled` is off. */
export function createForecasting(settings: Settings, parts: ForecastingParts): Forecasting {
  if (!settings.forecast.enabled) return OFF;
  const { clock, logger, makeHost } = parts;
  const source = sourceName();
  const counts = createClassCounts(settings, source);
  const control: ControlHost = makeHost(
    { controlThread: true, settings, source },
    {
      ...parts,
      lost: () => {
        counts.nameAgain();
        parts.lost?.();
      },
    },
  );
  const observer = new Observer({
    counts,
    clock,
    logger,
    observe: (batch) => control.observe(batch),
    ...(settings.observe.host ? { host: new HostLoad({ clock }) } : {}),
  });
  return {
    desk: control,
    control,
    mesh: control,
    port: control.port,
    serving: (serving) => control.serving(serving),
    demandFor: counts.demandFor,
    observe: (batch) => control.observe(batch),
    borrowed: (loans) => control.borrowed(loans),
    use: (table) => {
      counts.use(table.rules);
      control.usePools(poolSetups(settings, table));
      control.useTargets(targetBuckets(settings, table));
    },
    start: async () => {
      await control.start();
      observer.start();
    },
    close: async () => {
      observer.finish();
      await control.close();
    },
  };
}
