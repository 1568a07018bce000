/**
 * Discovery requests and responses to and from bytes.
 * Source: envoy/service/discovery/v3/discovery.proto.
 */
import { definitions, type PlainMessage } from './definitions';
import type { DeltaRequest } from './delta-stream';
import type { MeshNode } from './node-groups';
import type { MeshResource } from './resource';
import type { SotwRequest } from './sotw-stream';
import type { StreamResponse } from './stream-state';

const PACKAGE = 'envoy.service.discovery.v3';
const RESOURCE_TYPE = `type.googleapis.com/${PACKAGE}.Resource`;

/** A request with the node that it names; only the first one on a stream has to. */
export interface Received<Request> {
  readonly node: MeshNode | undefined;
  readonly request: Request;
}

/** Reads a DiscoveryRequest; `typeUrl` is what a service of one type implies. Throws `TG_MESH_BAD_REQUEST`. */
export function readSotwRequest(bytes: Uint8Array, typeUrl: string | undefined): Received<SotwRequest> {
  const message = definitions().decode(`${PACKAGE}.DiscoveryRequest`, bytes);
  return {
    node: nodeOf(message['node']),
    request: {
      typeUrl: typeUrl ?? text(message['type_url']),
      names: [...texts(message['resource_names']), ...locatorNames(message['resource_locators'])],
      version: text(message['version_info']),
      nonce: text(message['response_nonce']),
      ...errorOf(message),
    },
  };
}

/** Reads a DeltaDiscoveryRequest. Throws `TG_MESH_BAD_REQUEST`. */
export function readDeltaRequest(bytes: Uint8Array, typeUrl: string | undefined): Received<DeltaRequest> {
  const message = definitions().decode(`${PACKAGE}.DeltaDiscoveryRequest`, bytes);
  return {
    node: nodeOf(message['node']),
    request: {
      typeUrl: typeUrl ?? text(message['type_url']),
      subscribe: [
        ...texts(message['resource_names_subscribe']),
        ...locatorNames(message['resource_locators_subscribe']),
      ],
      unsubscribe: [
        ...texts(message['resource_names_unsubscribe']),
        ...locatorNames(message['resource_locators_unsubscribe']),
      ],
      initialVersions: (message['initial_resource_versions'] ?? {}) as Record<string, string>,
      nonce: text(message['response_nonce']),
      ...errorOf(message),
    },
  };
}

/**
 * The part of a response that does not depend on the stream: all but the nonce. Streams with the same answer may share it,
 * for messages in protobuf may be joined end to end.
 */
export function sharedBody(delta: boolean, response: StreamResponse): Uint8Array {
  return delta ? deltaBody(response) : sotwBody(response);
}

/** The nonce as bytes, to put after {@link sharedBody}. */
export function nonceBytes(delta: boolean, nonce: string): Uint8Array {
  return definitions().encode(nameOf(delta), { nonce });
}

function nameOf(delta: boolean): string {
  return `${PACKAGE}.${delta ? 'DeltaDiscoveryResponse' : 'DiscoveryResponse'}`;
}

function sotwBody({ version, typeUrl, resources }: StreamResponse): Uint8Array {
  return definitions().encode(nameOf(false), {
    version_info: version,
    type_url: typeUrl,
    resources: resources.map((one) => {
      if (one.ttlMs === undefined) return anyOf(one);
      const wrapped = wrapper(one, version);
      return { type_url: RESOURCE_TYPE, value: definitions().encode(`${PACKAGE}.Resource`, wrapped) };
    }),
  });
}

function deltaBody({ version, typeUrl, resources, removed }: StreamResponse): Uint8Array {
  return definitions().encode(nameOf(true), {
    system_version_info: version,
    type_url: typeUrl,
    resources: resources.map((one) => wrapper(one, one.version)),
    removed_resources: removed,
  });
}

/**
 * A heartbeat is whole, too: Envoy 1.40 takes one without content on a state-of-the-world stream, acknowledges it, and lets
 * the resource run out all the same; and what ran out while we stalled is back with the next beat
 * (test/real/mesh-ownership.test.ts).
 */
function wrapper(one: MeshResource, version: string): PlainMessage {
  return {
    name: one.name,
    version,
    resource: anyOf(one),
    ...(one.ttlMs === undefined ? {} : { ttl: durationOf(one.ttlMs) }),
  };
}

function anyOf({ typeUrl, body }: MeshResource): PlainMessage {
  return { type_url: typeUrl, value: body };
}

function durationOf(ms: number): PlainMessage {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

function errorOf(message: PlainMessage): { error?: string } {
  const detail = message['error_detail'] as PlainMessage | null | undefined;
  if (detail === null || detail === undefined) return {};
  return { error: text(detail['message']) || `refused without a reason` };
}

function nodeOf(value: unknown): MeshNode | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const node = value as PlainMessage;
  const metadata: Record<string, string> = {};
  const fields = (node['metadata'] as PlainMessage | null | undefined)?.['fields'];
  for (const [key, one] of Object.entries((fields ?? {}) as Record<string, PlainMessage>)) {
    if (Object.hasOwn(one, 'string_value')) metadata[key] = text(one['string_value']);
  }
  return { id: text(node['id']), cluster: text(node['cluster']), metadata };
}

function locatorNames(value: unknown): string[] {
  return ((value ?? []) as PlainMessage[]).map((one) => text(one['name']));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: unknown): readonly string[] {
  return (value ?? []) as string[];
}
