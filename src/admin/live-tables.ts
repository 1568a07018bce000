/** The tables of the page that follow what happens: where their rows come from, and what stands in their columns. */
import type { ControlEvent } from '../core/control-desk';
import type { CellKind } from './cell-text';

/** The most rows a table shows. */
export const MAX_ROWS = 50;

/** A column. */
export interface LiveColumn {
  readonly title: string;
  readonly kind: CellKind;
  /** Members of a row. */
  readonly fields: readonly string[];
  readonly words?: readonly string[];
  /** Classes of the page's style by the text of the cell. */
  readonly tones?: Readonly<Record<string, string>>;
}

/** A table. */
export interface LiveTable {
  /** The element's id. */
  readonly id: string;
  readonly title: string;
  readonly path: string;
  /** The member of the answer that holds the rows. */
  readonly list: string;
  /** What to say without rows. */
  readonly none: string;
  /** Events after which the rows are asked for at once. */
  readonly on: readonly ControlEvent['kind'][];
  readonly columns: readonly LiveColumn[];
}

const text = (title: string, field: string): LiveColumn => ({ title, kind: 'text', fields: [field] });
const name = (title: string, field: string): LiveColumn => ({ title, kind: 'name', fields: [field] });
const figure = (title: string, field: string): LiveColumn => ({ title, kind: 'figure', fields: [field] });
const against = (title: string, field: string, other: string): LiveColumn => ({
  title,
  kind: 'against',
  fields: [field, other],
});
const time = (title: string, field: string): LiveColumn => ({ title, kind: 'time', fields: [field] });
const toned = (column: LiveColumn, tones: Readonly<Record<string, string>>): LiveColumn => ({
  ...column,
  tones,
});
const page = `limit=${MAX_ROWS}`;

/** What is denied; there with and without pools. */
export const DENIED_TABLE: LiveTable = {
  id: 'denied',
  title: 'Denied most, lately',
  path: '/api/v1/top',
  list: 'denied',
  none: 'Nothing has been denied lately.',
  on: [],
  columns: [name('key', 'key'), name('rule', 'rule'), figure('denied hits', 'count')],
};

const POOLS: LiveTable = {
  id: 'pools',
  title: 'Pools',
  path: '/api/v1/pools',
  list: 'pools',
  none: 'There are no pools.',
  on: ['mode', 'state', 'leader', 'override', 'decision', 'learning'],
  columns: [
    name('pool', 'name'),
    { title: 'mode', kind: 'mode', fields: ['mode', 'modeOrder'] },
    { title: 'leader', kind: 'word', fields: ['leader'], words: ['this one', 'another'] },
    toned(text('state', 'state'), { normal: 'good', fallback: 'bad' }),
    toned(text('decides', 'level'), { ppo: 'good', forecast: 'good', last: 'warn', configured: 'bad' }),
    text('learning', 'learningMode'),
    { title: 'why', kind: 'said', fields: ['why'] },
    against('total / configured, a second', 'totalPerS', 'configuredTotalPerS'),
    against('admitted / demand, a second', 'admittedPerS', 'demandPerS'),
    figure('members', 'members'),
    figure('fairness', 'fairness'),
    toned(text('lending breaker', 'breaker'), { open: 'bad', half_open: 'warn' }),
  ],
};

const BUCKETS: LiveTable = {
  id: 'buckets',
  title: 'Buckets',
  path: `/api/v1/buckets?${page}`,
  list: 'buckets',
  none: 'No pool has a member.',
  on: ['decision', 'loan', 'override'],
  columns: [
    name('pool', 'pool'),
    name('member', 'id'),
    text('priority', 'priority'),
    against('size / configured', 'capacity', 'nominalCapacity'),
    figure('tokens', 'tokens'),
    against('rate / configured, a second', 'ratePerS', 'nominalPerS'),
    against('forecast / actual, a second', 'forecastPerS', 'demandPerS'),
    figure('denied a second', 'deniedPerS'),
    figure('lent', 'balance'),
    { title: 'why', kind: 'reason', fields: ['why', 'override'] },
  ],
};

const ALLOCATIONS: LiveTable = {
  id: 'allocations',
  title: 'What services get, by priority',
  path: '/api/v1/allocations',
  list: 'allocations',
  none: 'Nothing is shared out.',
  on: ['decision', 'override'],
  columns: [
    name('pool', 'pool'),
    name('service', 'service'),
    text('priority', 'priority'),
    against('allocated / configured, a second', 'allocatedPerS', 'nominalPerS'),
    against('admitted / demand, a second', 'admittedPerS', 'demandPerS'),
    figure('guarantee', 'guaranteePerS'),
  ],
};

const LOANS: LiveTable = {
  id: 'loans',
  title: 'Loans',
  path: `/api/v1/loans?${page}`,
  list: 'loans',
  none: 'Nothing is lent.',
  on: ['loan'],
  columns: [
    time('at, UTC', 'atMs'),
    name('pool', 'pool'),
    name('lender', 'lender'),
    name('borrower', 'borrower'),
    against('returned / tokens', 'returned', 'amount'),
    time('due', 'dueMs'),
    text('why', 'why'),
    toned(text('state', 'state'), { open: 'warn', returned: 'good', expired: 'bad', failed: 'bad' }),
  ],
};

const DECISIONS: LiveTable = {
  id: 'decisions',
  title: 'Decisions, the newest first',
  path: `/api/v1/decisions?${page}`,
  list: 'decisions',
  none: 'Nothing has been decided yet.',
  on: ['decision'],
  columns: [
    time('at, UTC', 'atMs'),
    name('pool', 'pool'),
    name('member', 'id'),
    { title: 'applied', kind: 'word', fields: ['applied'], words: ['yes', 'recorded only'] },
    figure('rate, a second', 'ratePerS'),
    figure('size', 'capacity'),
    { title: 'why', kind: 'reason', fields: ['reason'] },
  ],
};

/** The tables of control, by the name of the ask that answers them. */
export const CONTROL_TABLES = {
  pools: POOLS,
  buckets: BUCKETS,
  allocations: ALLOCATIONS,
  loans: LOANS,
  decisions: DECISIONS,
} as const;

/** How traffic is spread; there where Envoys are served. */
export const TRAFFIC_TABLES: readonly LiveTable[] = [
  {
    id: 'traffic',
    title: 'Traffic',
    path: '/api/v1/traffic',
    list: 'groups',
    none: 'No group of targets is configured.',
    on: ['traffic'],
    columns: [
      name('group', 'name'),
      name('nodes', 'nodes'),
      toned(text('state', 'state'), {
        configured: 'good',
        moving: 'warn',
        overloaded: 'bad',
        unhealthy: 'bad',
        stale: 'bad',
      }),
      { title: 'why', kind: 'said', fields: ['why'] },
      time('changed, UTC', 'changedAtMs'),
    ],
  },
  {
    id: 'shares',
    title: 'Shares that moved, the newest first',
    path: '/api/v1/traffic',
    list: 'changes',
    none: 'No share has moved.',
    on: ['traffic'],
    columns: [
      time('at, UTC', 'atMs'),
      name('group', 'group'),
      text('class', 'class'),
      name('target', 'target'),
      against('to / from', 'to', 'from'),
      { title: 'why', kind: 'said', fields: ['why'] },
    ],
  },
];

/** Every table. */
export const LIVE_TABLES: readonly LiveTable[] = [
  ...Object.values(CONTROL_TABLES),
  ...TRAFFIC_TABLES,
  DENIED_TABLE,
];

/** The classes of the page's style that a column's cells have. */
export function styleOf({ kind }: LiveColumn): string {
  if (kind === 'figure' || kind === 'against') return 'n';
  if (kind === 'name') return 'k';
  return kind === 'reason' || kind === 'said' || kind === 'mode' ? 'r' : 'w';
}
