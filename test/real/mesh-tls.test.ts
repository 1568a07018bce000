/** The control port over mutual TLS: real Envoy gets its resources, who has no certificate gets nothing, and a new certificate is taken. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { envoyCluster } from '../../scripts/parts/envoy-config.cjs';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { makeCertificates, type Certificates } from '../parts/redis-certificates';
import { openShop, shopEnvoy, type Shop } from '../parts/shop-mesh';
import type { TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';

interface Dynamic {
  readonly dynamic_resources: object;
}

let certificates: Certificates;
let other: Certificates;
let folder: string;
let shop: Shop;
let tidegate: TidegateProcess;

beforeAll(async () => {
  [certificates, other, shop] = await Promise.all([
    makeCertificates('DNS:tidegate'),
    makeCertificates('DNS:tidegate'),
    openShop([500, 500, 500]),
  ]);
  folder = await mkdtemp(path.join(tmpdir(), 'tidegate-mesh-tls-'));
  await serverFiles(certificates);
  tidegate = await shop.start('active', {
    TIDEGATE_CONTROL_TLS_CERT: path.join(folder, 'cert.pem'),
    TIDEGATE_CONTROL_TLS_KEY: path.join(folder, 'key.pem'),
    TIDEGATE_CONTROL_TLS_CLIENT_CA: path.join(folder, 'ca.pem'),
  });
}, 60_000);

afterAll(async () => {
  await tidegate?.stop();
  await shop?.stop();
  await Promise.all([certificates, other].map((files) => files?.remove()));
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function serverFiles({ serverCert, serverKey, ca }: Certificates): Promise<void> {
  await Promise.all([
    copyFile(serverCert, path.join(folder, 'cert.pem')),
    copyFile(serverKey, path.join(folder, 'key.pem')),
    copyFile(ca, path.join(folder, 'ca.pem')),
  ]);
}

/** An Envoy that shows the client's certificate, if any, and trusts the same authority. */
function envoyWith(client: Certificates, shows: boolean): Promise<RunningEnvoy> {
  const config = shopEnvoy(tidegate);
  const first = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '2s' };
  Object.assign(config, {
    dynamic_resources: {
      ...(config as object as Dynamic).dynamic_resources,
      lds_config: first,
      cds_config: first,
    },
  });
  envoyCluster(config, 'control').transport_socket = {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${TLS}.UpstreamTlsContext`,
      sni: 'tidegate',
      common_tls_context: {
        alpn_protocols: ['h2'],
        validation_context: { trusted_ca: { filename: client.ca } },
        ...(shows
          ? {
              tls_certificates: [
                {
                  certificate_chain: { filename: client.clientCert },
                  private_key: { filename: client.clientKey },
                },
              ],
            }
          : {}),
      },
    },
  };
  return startEnvoy(config);
}

async function streams(): Promise<number> {
  const answer = await fetch(`http://${tidegate.admin}/api/v1/mesh`);
  return ((await answer.json()) as { readonly streams: readonly object[] }).streams.length;
}

const passes = async (): Promise<boolean> => {
  try {
    return (await fetch(shop.url)).ok;
  } catch {
    return false;
  }
};

test('an Envoy with a certificate is served; one without, or with a foreign one, is not', async () => {
  const served = await envoyWith(certificates, true);
  try {
    await until('a way through', passes);
    expect(await streams()).toBe(1);
  } finally {
    await served.stop();
  }
  await until('it is gone', async () => (await streams()) === 0);
  for (const [client, shows] of [
    [certificates, false],
    [{ ...other, ca: certificates.ca }, true],
  ] as const) {
    // It begins to serve all the same, with nothing, once it has waited long enough for its first resources.
    const refused = await envoyWith(client, shows);
    try {
      await until('some tries', async () => (await refused.stat('cluster.control.upstream_cx_total')) > 1);
      expect(await refused.stat('listener_manager.lds.update_success')).toBe(0);
      expect(await streams()).toBe(0);
      expect(await passes()).toBe(false);
    } finally {
      await refused.stop();
    }
  }
  expect(tidegate.logs().some(({ msg }) => msg === 'client refused')).toBe(true);
}, 120_000);

test('a certificate that is replaced is shown from then on, without a restart', async () => {
  await serverFiles(other);
  await until(
    'the new certificate',
    () => tidegate.logs().some(({ msg, port: of }) => msg === 'certificate reloaded' && of === 'control'),
    30_000,
  );
  const envoy = await envoyWith(other, true);
  try {
    await until('a way through', passes);
    expect(await streams()).toBe(1);
  } finally {
    await envoy.stop();
  }
}, 60_000);
