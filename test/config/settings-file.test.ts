import fc from 'fast-check';
import { parseSettingsFile } from '../../src/config/settings-file';

const texts = (yaml: string): string[] => parseSettingsFile(yaml, 's.yaml').errors.map(String);

describe('the settings file', () => {
  it.each([
    ['', 0],
    ['# nothing\n', 0],
    ['data:\nadmin:\n', 0],
    ['data:\n  tls:\n', 0],
    ['data: {port: 1}\nstore: {urls: [a:1]}\n', 2],
  ])('accepts %j', (yaml, size) => {
    const { layer, errors } = parseSettingsFile(yaml, 's.yaml');
    expect(errors).toEqual([]);
    expect(layer.size).toBe(size);
  });

  it.each<[string, string, string]>([
    ['data: [1]', 's.yaml:1:7: data: ', 'takes a mapping'],
    ['- data', 's.yaml:1:1: ', 'takes a mapping'],
    ['just text', 's.yaml:1:1: ', 'takes a mapping'],
    ['log:\n  level: loud', 's.yaml:2:10: log.level: ', 'takes one of trace'],
    ['log:\n  level:', 's.yaml:2:', 'log.level: takes one of trace'],
    ['store:\n  urls: a:1', 's.yaml:2:9: store.urls: ', 'takes a list'],
    ['store:\n  urls: [a:1, 2]', 's.yaml:2:15: store.urls[1]: ', 'takes a list'],
    ['store:\n  deadline: 10', 's.yaml:2:13: store.deadline: ', 'takes a duration'],
    ['shadow_mode: "yes"', 's.yaml:1:14: shadow_mode: ', 'takes true or false'],
    ['data:\n  port: "80"', 's.yaml:2:9: data.port: ', 'takes a whole number'],
    ['daat:\n  port: 1', 's.yaml:1:1: daat: ', 'did you mean data?'],
    ['__proto__: {a: 1}', 's.yaml:1:1: __proto__: ', 'there is no such setting'],
    ['constructor: 1', 's.yaml:1:1: constructor: ', 'there is no such setting'],
    ['a: &x {port: 80.5}\ndata: *x', 's.yaml:1:14: data.port: ', 'takes a whole number'],
  ])('places the mistake of %j', (yaml, place, words) => {
    const error = texts(yaml).find((text) => text.includes(place));
    expect(error).toContain(words);
  });

  it('reports a duplicate key and broken YAML with their places', () => {
    expect(texts('data: {port: 1}\ndata: {port: 2}')).toEqual([
      expect.stringMatching(/^TG_SETTINGS_SYNTAX: s\.yaml:2:1: /),
    ]);
    expect(texts('data:\n\tport: 1')[0]).toMatch(/^TG_SETTINGS_SYNTAX: s\.yaml:2:/);
    expect(texts('data: {port: 1}\n---\ndata: {port: 2}')[0]).toMatch(/^TG_SETTINGS_SYNTAX: s\.yaml:\d+:/);
  });

  it('refuses bombs: aliases that multiply, nesting without end, a file too long', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    expect(texts(`a0: &a0 [x]\n${levels.join('\n')}`)[0]).toMatch(/^TG_SETTINGS_SYNTAX: s\.yaml: .*alias/i);
    for (const deep of ['['.repeat(20_000), '- '.repeat(10_000), '{a: '.repeat(10_000), '? '.repeat(10_000)])
      expect(texts(deep)).toEqual([expect.stringContaining('nested deeper than 32 levels')]);
    expect(texts(`# ${'x'.repeat(262_144)}`)[0]).toMatch(/^TG_SETTINGS_SYNTAX: s\.yaml: longer than/);
  });

  it('never throws, whatever the text', () => {
    const piece = fc.constantFrom(
      'data',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      '<<',
      '"',
      '!!str',
      'port',
      '1',
      '?',
      '|',
      '\t',
      '#',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 30 }).map((parts) => parts.join('')),
        ),
        (text) => {
          const { layer, errors } = parseSettingsFile(text, 's.yaml');
          expect(layer.size === 0 || errors.length === 0).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
