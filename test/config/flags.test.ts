import { parseFlags, takeSettingsFlags } from '../../src/config/flags';

describe('settings flags', () => {
  it.each([
    [['--data.port=0'], 'data.port', 0],
    [['--data.port', '9'], 'data.port', 9],
    [['--limits', '/etc/limits'], 'limits.path', '/etc/limits'],
    [['--limits=/etc/limits'], 'limits.path', '/etc/limits'],
    [['--shadow_mode'], 'shadow_mode', true],
    [['--limits.watch=false'], 'limits.watch', false],
    [['--store.urls=a:1, b:2,'], 'store.urls', ['a:1', 'b:2']],
    [['--store.key_prefix='], 'store.key_prefix', ''],
    [['--log.level=warn', '--log.level=debug'], 'log.level', 'debug'],
  ])('reads %j', (args, path, value) => {
    const { layer, errors } = parseFlags(args);
    expect(errors).toEqual([]);
    expect(layer.get(path)).toMatchObject({ value, source: 'flag' });
  });

  it('reads the place of the settings file', () => {
    expect(parseFlags(['--config', 'a.yaml']).configPath).toBe('a.yaml');
    expect(parseFlags([]).configPath).toBeUndefined();
  });

  it.each([
    ['extra', 'TG_USAGE'],
    ['--', 'TG_USAGE'],
    ['--data.port', 'TG_USAGE'],
    ['--config', 'TG_USAGE'],
    ['--data', 'TG_SETTINGS_UNKNOWN_KEY'],
    ['--constructor', 'TG_SETTINGS_UNKNOWN_KEY'],
    ['--data.port=', 'TG_SETTINGS_INVALID'],
    ['--data.port=1e3x', 'TG_SETTINGS_INVALID'],
    ['--data.port=80.5', 'TG_SETTINGS_INVALID'],
    ['--store.deadline=10', 'TG_SETTINGS_INVALID'],
    ['--store.deadline=2h', 'TG_SETTINGS_INVALID'],
    ['--headers.limit=Rate Limit', 'TG_SETTINGS_INVALID'],
    ['--store.key_prefix={x}', 'TG_SETTINGS_INVALID'],
  ])('refuses %s', (arg, code) => {
    expect(parseFlags([arg]).errors.map((error) => error.code)).toEqual([code]);
  });

  it("parts them from a command's own arguments, in order", () => {
    const args = [
      'a.yaml',
      '--limits',
      'l',
      '--entry',
      'k=v',
      '--data.port=1',
      '--shadow_mode',
      'b.yaml',
      '--x.y',
      'z',
    ];
    expect(takeSettingsFlags([...args, '--', '--data.port=2'])).toEqual({
      flags: ['--limits', 'l', '--data.port=1', '--shadow_mode', '--x.y', 'z'],
      rest: ['a.yaml', '--entry', 'k=v', 'b.yaml', '--', '--data.port=2'],
    });
  });
});
