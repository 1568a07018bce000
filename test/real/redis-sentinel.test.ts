import { RedisStore } from '../../src/store/redis/redis-store';
import { decide, take, used, verdicts } from '../parts/redis-asking';
import { SENTINEL_GROUP, SentinelGroup } from '../parts/redis-sentinel';
import { eventually } from '../parts/redis-server';

let group: SentinelGroup;
let store: RedisStore;

beforeAll(async () => {
  group = await SentinelGroup.start();
  store = new RedisStore({ kind: 'sentinel', urls: group.addresses, sentinelName: SENTINEL_GROUP });
  await eventually('the store is ready', () => store.ready());
});
afterAll(async () => {
  await store.close();
  await group.stop();
});

describe('a Redis store behind Sentinel', () => {
  it('follows a failover to the replica, with what it had counted', async () => {
    await decide(store, [take('k', 7)]);
    expect(await group.primary.admin.call('wait', 1, 5_000)).toBe(1);
    await group.primary.kill();
    await eventually(
      'it decides again',
      async () => (await verdicts(store, [take('k')], { deadlineMs: 50 }))[0] === 'ok',
    );
    expect(await group.primaryPort()).toBe(group.replica.port);
    expect(await used(store, take('k'))).toBe(8);
  });
});
