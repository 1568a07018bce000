import { readFileSync } from 'node:fs';
import { makeCertificates } from '../parts/redis-certificates';
import { RedisCluster } from '../parts/redis-cluster';
import { SENTINEL_GROUP, SentinelGroup } from '../parts/redis-sentinel';
import { RedisServer } from '../parts/redis-server';
import { redisStoreHarness } from '../parts/redis-store-harness';
import { describeStoreContract } from '../store/contract';

describeStoreContract('a single Redis', async () => {
  const server = await RedisServer.start();
  return redisStoreHarness(
    { kind: 'redis', urls: [server.address], keyPrefix: 'contract:' },
    () => [server],
    () => server.stop(),
  );
});

describeStoreContract('a Redis Cluster of six nodes', async () => {
  const cluster = await RedisCluster.start();
  return redisStoreHarness(
    { kind: 'cluster', urls: cluster.addresses.slice(0, 2) },
    () => cluster.masters(),
    () => cluster.stop(),
  );
});

describeStoreContract('a Redis Cluster of six nodes whose buckets share hash tags', async () => {
  const cluster = await RedisCluster.start();
  return redisStoreHarness(
    { kind: 'cluster', urls: cluster.addresses.slice(0, 2), slotTags: 12 },
    () => cluster.masters(),
    () => cluster.stop(),
  );
});

describeStoreContract('a Sentinel group', async () => {
  const group = await SentinelGroup.start();
  return redisStoreHarness(
    { kind: 'sentinel', urls: group.addresses, sentinelName: SENTINEL_GROUP },
    () => [group.primary],
    () => group.stop(),
  );
});

describeStoreContract('a Redis with TLS, client certificates and ACL users', async () => {
  const certificates = await makeCertificates();
  const tls = {
    ca: readFileSync(certificates.ca),
    cert: readFileSync(certificates.clientCert),
    key: readFileSync(certificates.clientKey),
  };
  const server = await RedisServer.start({
    tlsOnly: true,
    settings: [
      ['tls-cert-file', certificates.serverCert],
      ['tls-key-file', certificates.serverKey],
      ['tls-ca-cert-file', certificates.ca],
      ['tls-auth-clients', 'yes'],
      ['user', 'default', 'off'],
      ['user', 'admin', 'on', '>harness', '~*', '&*', '+@all'],
      [
        'user',
        'tidegate',
        'on',
        '>s3cret',
        '~tg:*',
        '+evalsha',
        '+script|load',
        '+get',
        '+set',
        '+time',
        '+info',
      ],
    ],
    admin: { tls, username: 'admin', password: 'harness' },
  });
  return redisStoreHarness(
    {
      kind: 'redis',
      urls: [`rediss://${server.address}`],
      username: 'tidegate',
      password: 's3cret',
      tls,
      keyPrefix: 'tg:',
    },
    () => [server],
    async () => {
      await server.stop();
      await certificates.remove();
    },
  );
});
