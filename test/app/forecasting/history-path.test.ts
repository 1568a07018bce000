import { historyPath } from '../../../src/app/forecasting/history-part';

describe('the path of history', () => {
  it.each<[string, Record<string, string>, string]>([
    ['/data/h.db', { HOME: '/home/a' }, '/data/h.db'],
    ['', { HOME: '/home/a' }, ''],
    ['none', { HOME: '/home/a' }, ''],
    [
      'auto',
      { STATE_DIRECTORY: '/var/lib/tidegate:/var/lib/more', HOME: '/home/a' },
      '/var/lib/tidegate/history.db',
    ],
    ['auto', { XDG_STATE_HOME: '/state', HOME: '/home/a' }, '/state/tidegate/history.db'],
    ['auto', { XDG_STATE_HOME: 'relative', HOME: '/home/a' }, '/home/a/.local/state/tidegate/history.db'],
    ['auto', {}, ''],
  ])('%j with %j is %j', (path, env, expected) => {
    expect(historyPath(path, env)).toBe(expected);
  });
});
