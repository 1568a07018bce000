/** Resources as users wrote them, validated, with mistakes told by file and path. */
import { TidegateError } from '../../core/errors';
import { definitions, TYPE_URL_PREFIX, type PlainMessage } from '../definitions';
import { resourceFromJson, type MeshResource } from '../resource';
import type { ResourceDocument } from './rows';

/** Validates and encodes all. @throws TidegateError TG_MESH_* for the first mistake. */
export function encodedDocuments(documents: readonly ResourceDocument[]): readonly MeshResource[] {
  const seen = new Map<string, string>();
  return documents.map((document) =>
    inDocument(document, () => {
      const { typeUrl, value, path, file } = document;
      const resource = resourceFromJson(typeUrl, value, { path });
      const identity = `${typeUrl} ${resource.name}`;
      const first = seen.get(identity);
      if (first !== undefined) {
        const message = `${resource.name} of this type stands in ${first} already`;
        throw new TidegateError('TG_MESH_DUPLICATE', message, { at: { key: path } });
      }
      seen.set(identity, file);
      return resource;
    }),
  );
}

/** Does something with a document; a mistake is told with its file, and with its path in the file. */
export function inDocument<T>({ file, path }: ResourceDocument, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    const error = TidegateError.from(thrown);
    const within = error.at?.key ?? path;
    const ofSettings = within.startsWith('mesh.');
    const key = ofSettings || within.startsWith(path) ? within : `${path}.${within}`;
    const at = ofSettings ? { ...error.at, key } : { ...error.at, file, key };
    throw new TidegateError(error.code, error.message, { at, remedy: error.remedy, cause: thrown });
  }
}

/** A resource's message. */
export function messageOf({ typeUrl, body }: MeshResource): PlainMessage {
  return definitions().decode(typeUrl.slice(TYPE_URL_PREFIX.length), body);
}

/** Whether a document has weighted clusters anywhere within it. */
export function hasWeightedClusters(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, one]) => key === 'weighted_clusters' || key === 'weightedClusters' || hasWeightedClusters(one),
  );
}
