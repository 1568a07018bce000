/** Answers of the API held against their description. */
import Ajv2020 from 'ajv/dist/2020';
import { openApiDocument } from '../../src/admin/openapi';

export const document = openApiDocument('1.2.3') as {
  paths: Record<string, Record<string, { responses: Record<string, unknown>; requestBody?: unknown }>>;
};
const ajv = new Ajv2020({ allErrors: true, strict: false });
ajv.addSchema(document, 'openapi');

function faultsAt(pointer: readonly string[], value: unknown): unknown {
  const escaped = pointer.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'));
  // A reference is a URI: braces of a path stand in it in percent-encoding.
  const validate = ajv.getSchema(`openapi#/${escaped.map(encodeURIComponent).join('/')}`);
  if (validate === undefined) throw new Error(`no schema at ${pointer.join(' ')}`);
  return validate(value) === true ? [] : validate.errors;
}

/**
 * The mistakes of a value against the schema of a response, or of the request's `body`.
 * @param key such as `get /api/v1/classes`.
 */
export function mistakes(key: string, status: string, value: unknown): unknown {
  const [method = '', path = ''] = key.split(' ');
  const place = status === 'body' ? ['requestBody'] : ['responses', status];
  return faultsAt(['paths', path, method, ...place, 'content', 'application/json', 'schema'], value);
}

/** The mistakes of a value against a schema by its name. */
export function faults(name: string, value: unknown): unknown {
  return faultsAt(['components', 'schemas', name], value);
}
