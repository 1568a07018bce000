import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPasswordFile } from '../../src/config/password-file';
import { formatStoreEndpoint, parseStoreAddress } from '../../src/config/store-urls';

describe('addresses of Redis', () => {
  it.each([
    ['redis.local:6380', 'redis.local:6380', {}],
    ['redis.local', 'redis.local:6379', {}],
    ['[::1]:7000', '[::1]:7000', {}],
    ['/run/redis.sock', '/run/redis.sock', {}],
    ['unix:///run/redis.sock', '/run/redis.sock', {}],
    ['redis://h', 'h:6379', {}],
    ['rediss://h:1/', 'h:1', { tls: true }],
    ['redis://:p%40ss@h:1/3', 'h:1', { password: 'p@ss', database: 3 }],
    ['redis://user:a@b/c:d@h:1', 'h:1', { username: 'user', password: 'a@b/c:d' }],
  ])('reads %s', (text, endpoint, rest) => {
    const address = parseStoreAddress(text, 6379);
    expect(address).toEqual({ endpoint: address?.endpoint, ...rest });
    expect(address === undefined ? undefined : formatStoreEndpoint(address.endpoint)).toBe(endpoint);
  });

  it.each([
    '',
    'h:0',
    'h:65536',
    'h:port',
    '::1',
    'a b',
    'user@h:1',
    'http://h:1',
    'redis://',
    'redis://h:1/x',
    'redis://h/1/2',
    'redis://%zz@h',
  ])('refuses %j', (text) => {
    expect(parseStoreAddress(text, 6379)).toBeUndefined();
  });
});

describe('the password file', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tidegate-password-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is read anew every time, without its line end', () => {
    const path = join(directory, 'password');
    writeFileSync(path, 'first\n');
    expect(readPasswordFile(path)).toBe('first');
    writeFileSync(path, ' second \r\n');
    expect(readPasswordFile(path)).toBe(' second ');
  });

  it.each([
    ['', 'is empty'],
    ['x'.repeat(65_537), 'is longer'],
    [undefined, 'ENOENT'],
  ])('is refused when bad', (text, words) => {
    const path = join(directory, 'password');
    if (text !== undefined) writeFileSync(path, text);
    expect(() => readPasswordFile(path)).toThrow(words);
  });
});
