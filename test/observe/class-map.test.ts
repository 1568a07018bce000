import type { RulePlace } from '../../src/limiter/demand';
import { ClassMap, type ClassMapOptions } from '../../src/observe/class-map';
import { tenantOfKey } from '../../src/observe/tenant-of-key';

const place = (path: string, manyBuckets = false): RulePlace => {
  const levels = path.split('.').map((level) => {
    const [key = '', value = ''] = level.split('=');
    return { key, value };
  });
  const parts = levels.map(({ key, value }) => (value === '' ? key : `${key}_${value}`));
  return { id: ['d', ...parts].join('.'), domain: 'd', path: levels, manyBuckets };
};

const map = (options: Partial<ClassMapOptions>) =>
  new ClassMap({ classes: [], serviceKey: '', tenantKey: '', ...options });

describe('a rule belongs to', () => {
  test.each([
    ['its domain', {}, 'path=/a', { service: 'd', tenant: undefined, tenantLevel: undefined }],
    ['the service of its key', { serviceKey: 'svc' }, 'svc=shop.path', { service: 'shop' }],
    ['its domain, where requests name the service', { serviceKey: 'svc' }, 'svc', { service: 'd' }],
    ['its domain, where a wildcard does', { serviceKey: 'svc' }, 'svc=sh*', { service: 'd' }],
    [
      'the tenant of its key',
      { tenantKey: 't' },
      'path=/a.t=acme',
      { tenant: 'acme', tenantLevel: undefined },
    ],
    ['the tenant that requests name', { tenantKey: 't' }, 'path=/a.t', { tenant: undefined, tenantLevel: 1 }],
    [
      'what the first row that says so names',
      {
        serviceKey: 'svc',
        classes: [
          { match: 'd.svc_other*', service: 'no' },
          { match: 'd.svc_*', service: '', tenant: 'acme' },
          { match: '*', service: 'all', tenant: 'nobody', operation: 'read', priority: 'LOW' },
        ],
      },
      'svc=shop',
      { service: 'all', tenant: 'acme', operation: 'read', priority: 'LOW' },
    ],
  ])('%s', (_what, options, path, expected) => {
    expect(map(options).of(place(path))).toMatchObject(expected);
  });
});

describe('a request costs', () => {
  test.each([
    ['one unit of CPU where nothing is said', [], { cpu: 1, memory: 0, io: 0, network: 0 }],
    [
      'what the first row with a cost says, and nothing else',
      [
        { match: '*', service: 's' },
        { match: '*', io: 2 },
        { match: '*', cpu: 9 },
      ],
      { cpu: 0, memory: 0, io: 2, network: 0 },
    ],
    [
      'as without a row where none matches',
      [{ match: 'e.*', io: 2 }],
      { cpu: 1, memory: 0, io: 0, network: 0 },
    ],
  ])('%s', (_what, classes, cost) => {
    expect(map({ classes }).of(place('path=/a')).cost).toEqual(cost);
  });
});

describe('the tenant of a bucket key', () => {
  test.each([
    ['d|t=acme|u=1', 't', 'acme'],
    ['d|u=1|t=a%7cb%3dc', 't', 'a|b=c'],
    ['d|u=1', 't', undefined],
    ['d|t=', 't', undefined],
    ['t=x|u=1', 't', undefined],
    ['d|t=acme', '', undefined],
  ])('%s by %j is %j', (key, tenantKey, tenant) => {
    expect(tenantOfKey(key, tenantKey)).toBe(tenant);
  });
});
