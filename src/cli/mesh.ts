/** `tidegate mesh status`: what Envoys have taken, and how traffic is spread over targets and why, of a Tidegate that serves. */
import { meshText } from '../app/mesh/mesh-text';
import { CATALOGUE, type ErrorCode } from '../core/error-catalogue';
import { TidegateError } from '../core/errors';
import type { MeshStatusView, TrafficView } from '../core/mesh-view';
import { HttpClient } from '../remote/http-client';
import { readOptions } from './arguments';
import type { CommandInput } from './command';
import { settingsFor } from './settings';

const OPTIONS = { url: { type: 'string' }, json: { type: 'boolean' } } as const;
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 64 * 1_048_576;

/** @throws TidegateError TG_USAGE, TG_MESH_OFF, or TG_SOURCE_* when nobody answers as Tidegate does. */
export async function mesh(input: CommandInput): Promise<void> {
  const { values, positionals } = readOptions(input.rest, OPTIONS, true);
  if (positionals.length !== 1 || positionals[0] !== 'status')
    throw new TidegateError('TG_USAGE', 'mesh takes one word: status');
  const url = values.url ?? baseOf(input);
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new TidegateError('TG_USAGE', '--url takes http://HOST:PORT of an admin port');
  const client = new HttpClient({ url, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
  const status = (await asked(client, 'mesh', 'streams')) as MeshStatusView;
  const traffic = (await asked(client, 'traffic', 'groups')) as TrafficView;
  input.out(
    values.json === true
      ? `${JSON.stringify({ mesh: status, traffic }, undefined, 2)}\n`
      : meshText(status, traffic, Date.now()),
  );
}

/** What a page of the API answers; `list` is what tells that it is Tidegate's. */
async function asked(client: HttpClient, page: string, list: string): Promise<unknown> {
  const { status, body } = await client.send({ method: 'GET', path: `/api/v1/${page}` });
  const answer = parsed(body);
  if (status === 200 && Array.isArray(answer[list])) return answer;
  const { code, message } = answer;
  if (typeof code === 'string' && Object.hasOwn(CATALOGUE, code) && typeof message === 'string')
    throw new TidegateError(code as ErrorCode, message);
  throw new TidegateError('TG_SOURCE_UNAVAILABLE', `${client.name} answers ${status}, not as Tidegate does`, {
    remedy: "name Tidegate's admin port with --url",
  });
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function baseOf(input: CommandInput): string {
  const { host, port } = settingsFor(input.settingsFlags, input.env).settings.admin;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
