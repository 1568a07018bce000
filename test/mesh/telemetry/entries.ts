/** Access logs and load reports as Envoy's full definitions encode them. */
import { definitions, type PlainMessage } from '../../../src/mesh/definitions';

/** What a test says of a request; the rest is as usual. */
export interface LoggedRequest {
  readonly route?: string;
  readonly cluster?: string;
  readonly address?: string;
  readonly port?: number;
  readonly status?: number;
  readonly ms?: number;
  readonly flags?: PlainMessage;
  /** More of AccessLogCommon. */
  readonly common?: PlainMessage;
  /** More of HTTPResponseProperties. */
  readonly response?: PlainMessage;
}

/** A Duration. */
export function duration(ms: number): PlainMessage {
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanos: Math.round((ms - seconds * 1_000) * 1e6) };
}

/** An HTTPAccessLogEntry with fields that nobody reads, too. */
export function entry(request: LoggedRequest = {}): PlainMessage {
  const { route = 'r', cluster = 'c', address = '10.0.0.1', port = 80, status = 200, ms = 5 } = request;
  const host = address === '' ? {} : { upstream_remote_address: socketAddress(address, port) };
  return {
    common_properties: {
      sample_rate: 1,
      downstream_remote_address: socketAddress('192.0.2.1', 5_000),
      start_time: { seconds: 1_800_000_000, nanos: 1 },
      time_to_last_downstream_tx_byte: duration(ms),
      ...host,
      upstream_cluster: cluster,
      response_flags: request.flags ?? {},
      route_name: route,
      stream_id: 'd0c7',
      ...request.common,
    },
    protocol_version: 2,
    request: { request_method: 1, path: '/secret', user_agent: 'x', request_headers: { a: 'b' } },
    response: { response_code: { value: status }, response_body_bytes: 10, ...request.response },
  };
}

/** A SocketAddress as an Address. */
export function socketAddress(address: string, port: number): PlainMessage {
  return { socket_address: { address, port_value: port } };
}

/** A StreamAccessLogsMessage. */
export function logs(...entries: readonly PlainMessage[]): Uint8Array {
  return definitions().encode('envoy.service.accesslog.v3.StreamAccessLogsMessage', {
    identifier: { node: { id: 'edge' }, log_name: 'mesh' },
    http_logs: { log_entry: entries },
  });
}

/** A LoadStatsRequest. */
export function report(...clusterStats: readonly PlainMessage[]): Uint8Array {
  return definitions().encode('envoy.service.load_stats.v3.LoadStatsRequest', {
    node: { id: 'edge' },
    cluster_stats: clusterStats,
  });
}
