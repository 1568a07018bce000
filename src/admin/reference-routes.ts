/** The endpoints people know from the reference server, with its statuses and texts. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { TidegateError } from '../core/errors';
import { refuseCrossSite } from './access';
import type { AdminDeps } from './deps';

/** Some 0.5 ms of work. */
const LINES_A_TURN = 2_000;
const TEXT = 'text/plain; charset=utf-8';

/** Adds /healthcheck, /json, /rlconfig, /stats and /metrics. */
export function addReferenceRoutes(app: FastifyInstance, deps: AdminDeps): void {
  app.get('/healthcheck', (_request, reply) => {
    const { ok, reason } = deps.health();
    void reply.code(ok ? 200 : 500).type(TEXT);
    return reply.send(ok ? 'OK' : `NOT OK: ${reason ?? 'not ready'}`);
  });

  app.post('/json', async (request, reply) => {
    // It takes tokens, so a foreign web page must not be able to call it; it asks for no token, as in the reference.
    refuseCrossSite(request.headers);
    const { status, body } = await deps.decideJson(parseJson(request.body));
    return reply.code(status).send(body);
  });

  app.get('/rlconfig', (_request, reply) => reply.type(TEXT).send(deps.rlconfig()));

  app.get('/stats', async (_request, reply) => {
    return reply.type(TEXT).send(await linesOf(await deps.stats()));
  });

  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await deps.scrape();
    return reply.type(contentType).send(body);
  });
}

/** One line a figure; lets the event loop turn between slices. */
async function linesOf(figures: readonly (readonly [name: string, value: number])[]): Promise<string> {
  let lines = '';
  for (let start = 0; start < figures.length; start += LINES_A_TURN) {
    for (const [name, value] of figures.slice(start, start + LINES_A_TURN)) lines += `${name}: ${value}\n`;
    await nextTurn();
  }
  return lines;
}

/** The reference reads the body as JSON whatever its content type says. */
function parseJson(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new TidegateError('TG_REQUEST_BAD_JSON', 'the body is empty');
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TidegateError('TG_REQUEST_BAD_JSON', `the body is not JSON: ${reason}`, { cause: thrown });
  }
}
