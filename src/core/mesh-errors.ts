/** The errors of discovery and traffic. */
import { input, excess, setup, type CatalogueEntry } from './error-kinds';

/** Part of the catalogue. */
export const MESH_ERRORS = {
  TG_MESH_UNKNOWN_FIELD: setup(
    'A resource has a field that its definition does not have.',
    "see the path in the message; take the field's name from Envoy's v3 API",
  ),
  TG_MESH_WRONG_VALUE: setup(
    'A value in a resource is not of the type that its field has.',
    "see the path in the message, and the field's type in Envoy's v3 API",
  ),
  TG_MESH_OFF: input(
    'Something was asked of the mesh, and no resources are served.',
    'set mesh.path, or mesh.telemetry.access_logs or load_reports',
  ),
  TG_MESH_FILES: input(
    'A folder or file of resources that cannot be read as such.',
    'write files with a list `resources` of objects, each with its `@type`',
  ),
  TG_MESH_UNKNOWN_TYPE: setup(
    'A resource, or an extension in one, is of a type that is not known.',
    "give `@type` as type.googleapis.com/ and the full name of a message of Envoy's v3 API",
  ),
  TG_MESH_DUPLICATE: setup('Two resources of one type have the same name.', 'give each a name of its own'),
  TG_MESH_NO_NAME: setup('A resource has no name.', 'name it: by `name`, or `cluster_name` for endpoints'),
  TG_MESH_TOO_LARGE: setup(
    'A snapshot is over the bound of what one group of nodes may be sent.',
    'give fewer or smaller resources, or split the nodes into groups',
  ),
  TG_MESH_TARGET: setup(
    'A target of traffic contradicts another, or the resources that hold it.',
    'see the path in the message, and mesh.targets in docs/configuration.md',
  ),
  TG_MESH_CLASS: setup(
    'A class of requests contradicts another, has no condition, or has one that Envoy does not take.',
    'see the path in the message, and mesh.classes in docs/configuration.md',
  ),
  TG_MESH_TTL: setup(
    'A time to live is on a resource that must not have one, or is too short.',
    'give one to runtime layers only: an expired route or endpoint is removed, and its traffic fails',
  ),
  TG_MESH_MISDEFINED: setup(
    "Envoy's definitions cannot be read.",
    'install the packages again: the definitions come with @grpc/grpc-js-xds',
  ),
  TG_MESH_BAD_REQUEST: input(
    'A discovery request cannot be understood.',
    'send DiscoveryRequest or DeltaDiscoveryRequest as envoy.service.discovery.v3 defines them',
  ),
  TG_MESH_STREAM_LIMIT: excess(
    'A stream asks for more names or types, or there are more streams, than the server holds.',
    'ask for fewer names on a stream, or raise the bound',
  ),
} satisfies Record<string, CatalogueEntry>;
