import { readHere } from '../../src/app/limits-reading';
import { LimitsService } from '../../src/app/limits-service';
import type { LimitsText } from '../../src/limiter/dialect/limits-file';

const UNUSED = (): never => {
  throw new Error('not asked for by this test');
};

/** Loads the files into a fresh service. @returns what it warned of. */
async function warningsOf(files: readonly LimitsText[]): Promise<string[]> {
  const warned: string[] = [];
  const quiet = (): void => undefined;
  const service = new LimitsService(
    {
      read: () => Promise.resolve(files),
      parseFirst: readHere,
      parseLater: UNUSED,
      nextTurn: async () => undefined,
      use: quiet,
      counted: quiet,
      countersFor: UNUSED,
      countersForRule: UNUSED,
      logger: {
        debug: quiet,
        info: quiet,
        warn: (_, message) => warned.push(message),
        error: (_, message) => warned.push(message),
      },
      clock: { nowUs: () => 0, monotonicMs: () => 0 },
    },
    {
      defaults: { algorithm: 'token_bucket', consistency: 'exact', onError: 'local' },
      mergeDomains: false,
      lenient: false,
    },
  );
  expect(await service.load()).toBe(true);
  return warned;
}

describe('loading limits', () => {
  it('warns when there is no file, since nothing is limited then', async () => {
    expect(await warningsOf([])).toEqual([expect.stringContaining('nothing is limited')]);
  });

  it('does not warn of a file that limits nothing on purpose', async () => {
    expect(await warningsOf([{ name: 'a.yaml', text: 'domain: a\ndescriptors: []\n' }])).toEqual([]);
  });
});
