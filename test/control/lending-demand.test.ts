import { PoolController } from '../../src/control/pool-controller';
import { memberPolicy, memberSeen, poolPolicy } from './pool-samples';

/** What a lender keeps whose live demand is 60/s and whose forecast's upper end is as given. */
function keptWith(upperPerS: number, demandPerS: number): number {
  const pool = poolPolicy({ totalPerS: 200 });
  const members = ['rich', 'poor'].map((id) => memberPolicy(id, { borrowable: 3, maxPerS: 200 }));
  const controller = new PoolController(pool, members);
  for (let second = 0; second < 30; second += 1) {
    const forecast = { madeAtMs: second * 1_000, meanPerS: 60, upperPerS, anomalous: false };
    const { loans } = controller.tick(second * 1_000, {
      health: [],
      members: [
        memberSeen('rich', demandPerS, { tokens: 100, forecast }),
        memberSeen('poor', 300, { admittedPerS: 100, deniedPerS: 200, tokens: 0 }),
      ],
    });
    const [loan] = loans;
    if (second > 20 && loan !== undefined) return loan.keep;
  }
  throw new Error('nothing was lent');
}

describe('what a lender keeps', () => {
  it('follows what is asked of it, not what may be asked over the whole interval', () => {
    expect(keptWith(195, 60)).toBeLessThan(30);
    expect(keptWith(61, 130)).toBeGreaterThan(keptWith(61, 60));
  });
});
