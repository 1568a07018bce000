/** The page in a real browser: its script brings the tables up to date, and what callers wrote stays text. */
import { controlEvent, fakeControl, FakeEvents, HOSTILE } from '../admin/fake-control';
import { closeAll, serve } from '../admin/serving';
import { openPage, type BrowserPage } from '../parts/browser';

let page: BrowserPage | undefined;
afterEach(async () => {
  await page?.close();
  page = undefined;
  await closeAll();
});
const open = async (port: number, width?: number): Promise<BrowserPage> =>
  (page = await openPage(`http://127.0.0.1:${port}/`, width));

const TABLES = ['pools', 'buckets', 'allocations', 'loans', 'decisions', 'denied'];
/** The texts and styles of the cells of all tables, in the page itself or in the page as the server renders it now. */
const cellsIn = (document: string): string =>
  `${JSON.stringify(TABLES)}.map((id) => [id, [...${document}.getElementById(id).querySelectorAll('td')].map((td) => [td.className, td.textContent])])`;
const RENDERED = `fetch('/').then((answer) => answer.text()).then((text) => {
  const page = new DOMParser().parseFromString(text, 'text/html');
  return ${cellsIn('page')};
})`;

test('the script fills the tables as the server does, and draws the chart; nothing callers wrote becomes markup', async () => {
  // The first view cannot be had, so that what the tables show is the script's.
  const seen = new Set<string>();
  const control = fakeControl();
  const { port } = await serve({
    control: {
      askControl(name, ask) {
        if (seen.has(name)) return control.askControl(name, ask);
        seen.add(name);
        return Promise.reject(new Error('not yet'));
      },
    },
    events: new FakeEvents(),
    topDenied: () => [{ rule: 'edge.k', key: HOSTILE, count: 12.5, error: 0 }],
  });
  const { evaluate, until, complaints } = await open(port);
  await until(`document.getElementById('buckets').querySelectorAll('td').length === 20`);
  await until(`document.querySelector('#chart svg .actual') !== null`);
  await until(`document.getElementById('news').textContent === 'live'`);
  await until(`document.querySelectorAll('#decisions td').length === 7`);
  const cells = (await evaluate(cellsIn('document'))) as [string, [string, string][]][];
  expect(cells).toEqual(await evaluate(RENDERED));
  expect(cells.map(([id, texts]) => [id, texts.length])).toEqual([
    ['pools', 24],
    ['buckets', 20],
    ['allocations', 6],
    ['loans', 8],
    ['decisions', 7],
    ['denied', 3],
  ]);
  expect(cells[1]?.[1][1]).toEqual(['k', `edge.k|${HOSTILE}`]);
  expect(cells[5]?.[1][0]).toEqual(['k', HOSTILE]);
  expect(await evaluate(`[document.title, document.scripts.length, document.images.length]`)).toEqual([
    'Tidegate',
    1,
    0,
  ]);
  expect(await evaluate(`document.querySelector('#chart svg').getAttribute('aria-label')`)).toMatch(
    /^Lately 0.05 a second; at 00:10 UTC 2 are foreseen, 1 to 3 in four of five cases/,
  );
  expect(complaints).toEqual([]);
});

test('an event makes the script ask for what changed, at once', async () => {
  const events = new FakeEvents();
  const control = fakeControl();
  let name = 'before';
  const { port } = await serve({
    events,
    control: {
      async askControl(asked, ask) {
        const answer = await control.askControl(asked, ask);
        return 'pools' in answer
          ? { ...answer, pools: answer.pools.map((pool) => ({ ...pool, name })) }
          : answer;
      },
    },
  });
  const { evaluate, until, complaints } = await open(port);
  await until(`document.getElementById('news').textContent === 'live'`);
  // The next look that no event asks for is made never.
  await evaluate(`for (let timer = 0; timer < 1000; timer += 1) clearInterval(timer)`);
  name = `after ${HOSTILE}`;
  events.tell(controlEvent('mode', { text: HOSTILE }));
  await until(`document.querySelector('#pools td').textContent === ${JSON.stringify(name)}`);
  expect(await evaluate(`document.getElementById('news').textContent`)).toBe(
    '03:04:05 mode of pool shop changed',
  );
  expect(complaints).toEqual([]);
});

test('the page keeps to a narrow window', async () => {
  const { port } = await serve({ control: fakeControl(), events: new FakeEvents() });
  const { evaluate, until } = await open(port, 360);
  await until(`document.querySelector('#chart svg') !== null`);
  expect(await evaluate('innerWidth')).toBe(360);
  expect(await evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
});

test('it says so when the server is gone, and keeps what it knew', async () => {
  const { port } = await serve({ control: fakeControl(), events: new FakeEvents() });
  const { evaluate, until } = await open(port);
  await until(`document.getElementById('news').textContent === 'live'`);
  await closeAll();
  await until(`document.getElementById('news').textContent.startsWith('no events')`);
  await until(`document.getElementById('badge').textContent === 'does not answer'`);
  expect(await evaluate(`document.querySelectorAll('#buckets td').length`)).toBe(20);
});
