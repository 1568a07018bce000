import { MemoryGroup } from '../../src/store/memory/memory-group';
import { describeGroup, seen, upTo } from './group-contract';

describe('the group of a process alone', () => {
  describeGroup(() => new MemoryGroup('a'));

  test('keeps a bounded number of batches for who reads late, and takes none twice', async () => {
    const group = new MemoryGroup('a');
    group.start();
    for (const sequence of upTo(130)) group.publish(seen('a', sequence));
    group.publish(seen('a', 130));
    expect((await group.collect()).map(({ sequence }) => sequence)).toEqual(upTo(130).slice(10));
    expect(group.counts()).toMatchObject({ dropped: 10, doubled: 1 });
  });
});
