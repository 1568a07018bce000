/** Answers of the API held against their description. */
import Ajv2020 from 'ajv/dist/2020';
import { openApiDocument } from '../../src/admin/openapi';

export const document = openApiDocument('1.2.3') as {
  paths: Record<string, Record<string, { responses: Record<string, unknown>; requestBody?: unknown }>>;
};
const ajv = new Ajv2020({ allErrors: true, strict: false });
ajv.addSchema(document, 'openapi');

/** The mistakes of a value against the schema of a response. @param key such as `get /api/v1/classes`. */
export function mistakes(key: string, status: string, value: unknown): unknown {
  const [method = '', path = ''] = key.split(' ');
  const pointer = ['paths', path, method, 'responses', status, 'content', 'application/json', 'schema'];
  const escaped = pointer.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
  const validate = ajv.getSchema(`openapi#/${escaped}`);
  if (validate === undefined) throw new Error(`no schema for ${key} ${status}`);
  return validate(value) === true ? [] : validate.errors;
}
