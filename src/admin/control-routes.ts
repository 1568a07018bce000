/** `/api/v1`: what control of pools does and why, what people order instead, and events as they happen. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ControlAskName, ControlAsks } from '../core/control-desk';
import { TidegateError } from '../core/errors';
import { clientSubject, requireChanger, type TokenCheck } from './access';
import {
  readAuditQuery,
  readDecisionsQuery,
  readDropOverride,
  readLearningBody,
  readModeBody,
  readNoQuery,
  readOverrideBody,
  readPoolName,
  readPoolPageQuery,
  readPoolQuery,
} from './control-query';
import type { AdminDeps } from './deps';
import { EventFeed } from './event-feed';

const BASE = '/api/v1';

type ControlDeps = Pick<AdminDeps, 'control' | 'events'>;

const off = (): TidegateError => new TidegateError('TG_CONTROL_OFF', 'no pool is configured');

/** Adds the routes. Reads are open; changes ask for the token, or a client certificate, and are closed to other sites' pages. */
export function addControlRoutes(app: FastifyInstance, deps: ControlDeps, token: TokenCheck): void {
  const ask = async <N extends ControlAskName>(
    name: N,
    asked: ControlAsks[N]['ask'],
  ): Promise<ControlAsks[N]['answer']> => {
    if (deps.control === undefined) throw off();
    return deps.control.askControl(name, asked);
  };
  app.get(`${BASE}/pools`, ({ url }) => ask('pools', readNoQuery(url)));
  app.get(`${BASE}/buckets`, ({ url }) => ask('buckets', readPoolPageQuery(url)));
  app.get(`${BASE}/loans`, ({ url }) => ask('loans', readPoolPageQuery(url)));
  app.get(`${BASE}/allocations`, ({ url }) => ask('allocations', readPoolQuery(url)));
  app.get(`${BASE}/decisions`, ({ url }) => ask('decisions', readDecisionsQuery(url)));
  app.get(`${BASE}/overrides`, ({ url }) => ask('overrides', readPoolQuery(url)));
  app.get(`${BASE}/audit`, ({ url }) => ask('audit', readAuditQuery(url)));

  app.get<{ Params: { name: string } }>(`${BASE}/pools/:name/learning`, ({ url, params }) =>
    ask('learning', readPoolName(params.name, url)),
  );

  addEvents(app, deps);

  app.register(async (changes) => {
    changes.addHook('onRequest', async (request) => requireChanger(request.raw, token));
    changes.put(`${BASE}/overrides`, ({ body, raw }) =>
      ask('putOverride', readOverrideBody(body, clientSubject(raw))),
    );
    changes.delete(`${BASE}/overrides`, ({ url, body, raw }) =>
      ask('dropOverride', readDropOverride(url, body, clientSubject(raw))),
    );
    changes.put<{ Params: { name: string } }>(`${BASE}/pools/:name/mode`, ({ params, body, raw }) =>
      ask('putMode', readModeBody(params.name, body, clientSubject(raw))),
    );
    changes.put<{ Params: { name: string } }>(`${BASE}/pools/:name/learning`, ({ params, body, raw }) =>
      ask('putLearning', readLearningBody(params.name, body, clientSubject(raw))),
    );
  });
}

/** Events over server-sent events (the HTML standard, 9.2). */
function addEvents(app: FastifyInstance, { events }: ControlDeps): void {
  const feed = events === undefined ? undefined : new EventFeed(events);
  app.addHook('preClose', async () => feed?.close());
  const stream = (request: FastifyRequest, reply: FastifyReply): void => {
    readNoQuery(request.url);
    if (feed === undefined) throw off();
    feed.admit(reply.raw, () => {
      reply.hijack();
      reply.raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      });
    });
  };
  // A HEAD would be answered with a stream that never ends.
  app.get(`${BASE}/events`, { exposeHeadRoute: false }, stream);
}
