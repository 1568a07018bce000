/** The control port by the settings: health, reflection, and whatever services come with it. */
import { createControlServer } from '../transport';
import type { Settings } from '../config/settings-shape';
import type { Server, UnaryMethods } from '../core/ports';
import type { GrpcService } from '../mesh/xds-services';
import { grpcOptions, type PortLog } from './port-options';

/** Whether Envoys are served with resources, or tell what they do: then the port belongs to the control thread. */
export function servesMesh({ mesh }: Pick<Settings, 'mesh'>): boolean {
  return mesh.path !== '' || mesh.telemetry.accessLogs || mesh.telemetry.loadReports;
}

/** @param port where it listens, if not as set. */
export function controlServer(
  settings: Settings,
  methods: UnaryMethods,
  services: readonly GrpcService[],
  log: PortLog,
  port = settings.control.port,
): Server {
  return createControlServer(grpcOptions('control', { ...settings.control, port }, log), methods, services);
}
