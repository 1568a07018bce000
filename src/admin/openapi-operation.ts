/** How an operation is described, and that description as OpenAPI 3.1 writes it. */
import { listOf, object, ref, text, whole, type JsonSchema } from './openapi-schemas';

/** Where the API is. */
export const BASE = '/api/v1';

/** An operation; its key is the method and the path. */
export interface Operation {
  readonly summary: string;
  /** What `{name}`s of the path are. */
  readonly path?: Readonly<Record<string, JsonSchema>>;
  readonly query?: Readonly<Record<string, JsonSchema>>;
  /** Names of the query that have to be there. */
  readonly required?: readonly string[];
  readonly body?: JsonSchema;
  /** The body may be left out. */
  readonly bodyOptional?: boolean;
  readonly answer: JsonSchema;
  /** The type of the answer, when it is not JSON. */
  readonly media?: string;
  /** Further statuses with their schemas. */
  readonly also?: Readonly<Record<string, JsonSchema>>;
  /** It changes something: it asks for the token, or a client certificate. */
  readonly changes?: boolean;
}

/** The query of lists. */
export const page = { offset: whole('How many to pass over.'), limit: whole('How many to list.') };
/** An instant in a query. */
export const instant = text('Unix milliseconds, or ISO 8601.');
/** A page of a list, and how many there are in all. */
export const paged = (name: string, items: string): JsonSchema =>
  object({ total: whole(), [name]: listOf(ref(items)) });

const content = (schema: JsonSchema, media = 'application/json'): JsonSchema => ({
  content: { [media]: { schema } },
});

const parametersOf = (
  place: 'path' | 'query',
  schemas: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
): readonly JsonSchema[] =>
  Object.entries(schemas).map(([name, schema]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema,
  }));

/** An operation object of OpenAPI 3.1. */
export function operationOf(operation: Operation): JsonSchema {
  const { summary, path = {}, query = {}, required = [], body, answer, also = {} } = operation;
  const failed = { description: 'What was wrong, where, and what to do.', ...content(ref('Error')) };
  const others = Object.entries(also).map(([status, schema]) => [
    status,
    { description: 'As for 200.', ...content(schema) },
  ]);
  return {
    summary,
    // Of a list of securities, any one is enough.
    ...(operation.changes === true ? { security: [{ token: [] }, { clientCertificate: [] }] } : {}),
    parameters: [...parametersOf('path', path, Object.keys(path)), ...parametersOf('query', query, required)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: operation.bodyOptional !== true, ...content(body) } }),
    responses: {
      200: { description: 'The answer.', ...content(answer, operation.media) },
      ...(Object.fromEntries(others) as JsonSchema),
      default: failed,
    },
  };
}
