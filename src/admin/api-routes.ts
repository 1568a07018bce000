/** `/api/v1`: what is configured, why a rule applies, what is denied; and the calls that change something. */
import type { FastifyInstance } from 'fastify';
import { requireChanger, type TokenCheck } from './access';
import type { AdminDeps, LimitsView } from './deps';
import { errorBody, type ErrorBody } from './error-replies';
import { openApiDocument } from './openapi';
import { readExplainQuery, readLimitsQuery } from './query';

const BASE = '/api/v1';

/** The state of the limits in JSON. */
export type LimitsStatusBody = Omit<LimitsView, 'errors' | 'warnings'> & {
  readonly errors: readonly ErrorBody[];
  readonly warnings: readonly ErrorBody[];
};

/** The state of the limits with its errors in their JSON form. */
export function limitsBody(view: LimitsView): LimitsStatusBody {
  return { ...view, errors: view.errors.map(errorBody), warnings: view.warnings.map(errorBody) };
}

/** Adds the API. Reads are open; every change asks for the token, or a client certificate, and is closed to other sites' pages. */
export function addApiRoutes(app: FastifyInstance, deps: AdminDeps, token: TokenCheck): void {
  app.get(`${BASE}/openapi.json`, () => openApiDocument(deps.process().version));

  app.get(`${BASE}/config`, () => ({
    ...deps.process(),
    health: deps.health(),
    limits: limitsBody(deps.limitsStatus()),
    settings: deps.settings(),
  }));

  app.get(`${BASE}/limits`, (request) => {
    const { domain, offset, limit } = readLimitsQuery(request.url);
    const all = deps.rules();
    const chosen = domain === undefined ? all : all.filter(({ id }) => id.startsWith(`${domain}.`));
    return {
      generation: deps.limitsStatus().generation,
      total: chosen.length,
      offset,
      rules: chosen.slice(offset, offset + limit),
    };
  });

  app.get(`${BASE}/explain`, (request) => {
    const { domain, descriptor } = readExplainQuery(request.url);
    return deps.explain(domain, descriptor);
  });

  app.get(`${BASE}/top`, () => ({ denied: deps.topDenied() }));

  app.get(`${BASE}/store`, () => deps.store());

  app.get(`${BASE}/mesh`, () => deps.mesh.askMesh('mesh', {}));
  app.get(`${BASE}/traffic`, () => deps.mesh.askMesh('traffic', {}));
  app.get(`${BASE}/traffic/telemetry`, () => deps.mesh.askMesh('telemetry', {}));

  app.register(async (changes) => {
    changes.addHook('onRequest', async (request) => requireChanger(request.raw, token));
    changes.post(`${BASE}/limits/reload`, async (_request, reply) => {
      const inUse = await deps.reloadLimits();
      return reply.code(inUse ? 200 : 422).send({ inUse, limits: limitsBody(deps.limitsStatus()) });
    });
  });
}
