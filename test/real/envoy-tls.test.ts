/** Envoy and Tidegate over TLS: the transport socket that envoy/sidecar.yaml shows in comments, with real certificates. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { envoyCluster } from '../../scripts/parts/envoy-config.cjs';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { ask, NO_DECISION, sidecarConfig, statusesInTurn } from '../parts/envoy-gateway';
import { demoLimits, writeLimits, type LimitsFile } from '../parts/limits-file';
import { repositoryPath } from '../parts/paths';
import { makeCertificates, type Certificates } from '../parts/redis-certificates';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { startUpstream, type Upstream } from '../parts/upstream';

const LIMITS = demoLimits(`
  - key: remote_address
    rate_limit: {unit: day, requests_per_unit: 2}`);

interface TlsSocket {
  readonly typed_config: {
    readonly common_tls_context: { tls_certificates?: unknown[] };
  };
}

let certificates: Certificates;
let foreign: Certificates;
let limits: LimitsFile;
let upstream: Upstream;
let tidegate: TidegateProcess;
const stops: (() => Promise<void>)[] = [];

function toStop<T extends { stop(): Promise<void> }>(part: T): T {
  stops.push(() => part.stop());
  return part;
}

/** The commented transport socket, with its file names replaced. */
function shownSocket(files: { readonly ca: string; readonly cert: string; readonly key: string }): TlsSocket {
  const lines = readFileSync(repositoryPath('envoy', 'sidecar.yaml'), 'utf8').split('\n');
  const shown = lines.filter((line) => /^ {6}# (transport_socket:| {2,})/.test(line));
  const text = shown
    .map((line) => line.replace(/^ {6}# /, ''))
    .join('\n')
    .replace('/etc/envoy/tls/ca.crt', files.ca)
    .replace('/etc/envoy/tls/client.crt', files.cert)
    .replace('/etc/envoy/tls/client.key', files.key);
  return (parse(text) as { transport_socket: TlsSocket }).transport_socket;
}

async function envoyWith(socket: TlsSocket | undefined): Promise<RunningEnvoy> {
  const config = sidecarConfig({ upstream: upstream.address, tidegates: [tidegate.data] });
  if (socket !== undefined) envoyCluster(config, 'tidegate').transport_socket = socket;
  return toStop(await startEnvoy(config));
}

beforeAll(async () => {
  [certificates, foreign] = await Promise.all([
    makeCertificates('DNS:tidegate'),
    makeCertificates('DNS:tidegate'),
  ]);
  limits = await writeLimits(LIMITS);
  upstream = toStop(await startUpstream());
  tidegate = toStop(
    await startTidegate({
      limits: limits.path,
      env: {
        TIDEGATE_DATA_TLS_CERT: certificates.serverCert,
        TIDEGATE_DATA_TLS_KEY: certificates.serverKey,
        TIDEGATE_DATA_TLS_CLIENT_CA: certificates.ca,
      },
    }),
  );
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  await Promise.all([limits, certificates, foreign].map((files) => files?.remove()));
});

test('with a certificate that each side trusts, Envoy gets its decisions', async () => {
  const { ca, clientCert, clientKey } = certificates;
  const envoy = await envoyWith(shownSocket({ ca, cert: clientCert, key: clientKey }));
  const request = () => ask(`${envoy.url('inbound')}/`, { 'x-forwarded-for': '192.0.2.1' });
  expect(await statusesInTurn(3, request)).toEqual([200, 200, 429]);
  expect(await envoy.stat('cluster.tidegate.ssl.handshake')).toBeGreaterThan(0);
});

test.each([
  ['Envoy shows no certificate', 'no certificate'],
  ['Envoy shows a certificate of another authority', 'foreign client'],
  ['Envoy does not trust the authority of Tidegate', 'foreign server'],
  ['Envoy does not speak TLS', 'plaintext'],
] as const)('there is no decision when %s', async (_what, how) => {
  const client = how === 'foreign client' ? foreign : certificates;
  const socket = shownSocket({
    ca: how === 'foreign server' ? foreign.ca : certificates.ca,
    cert: client.clientCert,
    key: client.clientKey,
  });
  if (how === 'no certificate') delete socket.typed_config.common_tls_context.tls_certificates;
  const envoy = await envoyWith(how === 'plaintext' ? undefined : socket);
  const seenBefore = upstream.seen;
  const answer = await ask(`${envoy.url('inbound')}/`, { 'x-forwarded-for': '192.0.2.2' });
  expect(answer.status).toBe(NO_DECISION);
  expect(upstream.seen).toBe(seenBefore);
});
