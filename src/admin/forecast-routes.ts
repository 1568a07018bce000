/** `/api/v1`: what is seen of demand and what is coming. */
import type { FastifyInstance } from 'fastify';
import { requireChanger, type TokenCheck } from './access';
import type { ForecastDesk } from '../core/forecast-desk';
import {
  readAccuracyHistoryQuery,
  readAccuracyQuery,
  readAnomaliesQuery,
  readClassesQuery,
  readModelsQuery,
  readPredictionsQuery,
  readRefitBody,
  readRollbackBody,
  readSeriesQuery,
} from './forecast-query';

const BASE = '/api/v1';

/** Adds the routes. Reads are open; changes ask for the token, or a client certificate, and are closed to other sites' pages. */
export function addForecastRoutes(app: FastifyInstance, desk: ForecastDesk, token: TokenCheck): void {
  app.get(`${BASE}/classes`, (request) => desk.ask('classes', readClassesQuery(request.url)));
  app.get(`${BASE}/series`, (request) => desk.ask('series', readSeriesQuery(request.url)));
  app.get(`${BASE}/predictions`, (request) => desk.ask('prediction', readPredictionsQuery(request.url)));
  app.get(`${BASE}/accuracy`, (request) => desk.ask('accuracy', readAccuracyQuery(request.url)));
  app.get(`${BASE}/accuracy/history`, (request) =>
    desk.ask('accuracyHistory', readAccuracyHistoryQuery(request.url)),
  );
  app.get(`${BASE}/anomalies`, (request) => desk.ask('anomalies', readAnomaliesQuery(request.url)));
  app.get(`${BASE}/models`, (request) => desk.ask('models', readModelsQuery(request.url)));
  app.get(`${BASE}/costs`, (request) => desk.ask('costs', readAccuracyQuery(request.url)));
  app.get(`${BASE}/alerts`, () => desk.ask('alerts', {}));
  app.get(`${BASE}/replicas`, () => desk.ask('replicas', {}));
  app.get(`${BASE}/forecasting`, () => desk.ask('status', {}));

  app.register(async (changes) => {
    changes.addHook('onRequest', async (request) => requireChanger(request.raw, token));
    changes.post(`${BASE}/models/rollback`, (request) =>
      desk.ask('rollback', readRollbackBody(request.body)),
    );
    changes.post(`${BASE}/models/refit`, (request) => desk.ask('refit', readRefitBody(request.body)));
  });
}
