/** Who is in a pool, while settings, limits and heavy keys come and go. */
import { PoolMembers } from '../../../src/app/control/pool-members';
import type { MemberSetup, PoolSetup } from '../../../src/app/control/pool-setup';
import { bucketParams } from '../../../src/bucket/params';
import { memberPolicy, poolPolicy } from '../../control/pool-samples';

function setupOf(id: string, limit = 10): MemberSetup {
  const params = bucketParams({ algorithm: 'token_bucket', limit, windowUs: 1_000_000 });
  return { policy: memberPolicy(id, { nominalPerS: limit }), params, group: '', queueLimit: 0 };
}

function poolOf(members: readonly MemberSetup[], templates: readonly MemberSetup[]): PoolSetup {
  return { policy: poolPolicy(), members, templates };
}

const USER = setupOf('d.user');
const ada = (value = 'ada'): [string, string] => [`d.user|d|user=${value}`, 'd.user'];

test('keys are members while they are counted, told of once for all that came', () => {
  const members = new PoolMembers(poolOf([setupOf('d.one')], [USER]));
  expect(members.takeChange()).toBe(true);
  expect(members.takeChange()).toBe(false);
  for (let at = 0; at < 2_000; at += 1) members.keyAdded(...ada(`u${at}`));
  members.keyAdded('d.other|d|x=1', 'd.other');
  expect(members.takeChange()).toBe(true);
  expect(members.all.size).toBe(1_001);
  expect(members.idOf('d|user=u7')).toBe('d.user|d|user=u7');
  members.keyEnded(ada('u7')[0]);
  members.keyEnded('d.one');
  expect(members.idOf('d|user=u7')).toBeUndefined();
  expect(members.all.size).toBe(1_000);
  expect(members.takeChange()).toBe(true);
});

test('keys of a rule that stays have its new limits, and those of one that leaves are gone', () => {
  const members = new PoolMembers(poolOf([], [USER, setupOf('d.other')]));
  members.keyAdded(...ada());
  members.keyAdded('d.other|d|x=1', 'd.other');
  members.use(poolOf([setupOf('d.one')], [setupOf('d.user', 70)]));
  expect([...members.all.keys()]).toEqual(['d.one', 'd.user|d|user=ada']);
  expect(members.policies.map(({ nominalPerS }) => nominalPerS)).toEqual([10, 70]);
  expect(members.services).toEqual(new Set(['d.one', 'd.user']));
});
