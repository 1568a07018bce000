/** The page's tables of control as the server renders them. */
import { TidegateError } from '../../src/core/errors';
import { faultsOfMarkup, outsideReferences } from '../parts/markup-check';
import { cellText, type CellKind } from '../../src/admin/cell-text';
import { CONTROL_ANSWERS, fakeControl, HOSTILE } from './fake-control';
import { fakeForecasts } from './fake-forecasts';
import { closeAll, serve } from './serving';

afterEach(() => closeAll());

const withoutScript = (page: string): string => page.replace(/<script>[^]*?<\/script>/, '');
const decoded = (markup: string): string =>
  markup
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

describe('the page with pools', () => {
  it('shows how pools and buckets are, and why, loans, allocations and decisions', async () => {
    const { text } = await serve({ control: fakeControl() });
    const page = await text('/');
    const cells = [...page.matchAll(/<td[^>]*>([^<]*)<\/td>/g)].map(([, cell]) => decoded(cell ?? ''));
    expect(cells).toEqual(
      expect.arrayContaining([
        'active; set by ops: proven',
        'this one',
        'fallback',
        'telemetry <i>stopped</i>',
        '180 / 200',
        `edge.k|${HOSTILE}`,
        '140 / 100',
        '70 / 50',
        '55.3 / 60.5',
        `surplus, cut by max, step (demand 40, forecast 55.3); set until 03:14:05 by <b>ops</b>: sale ${HOSTILE}`,
        'nominal (demand 40, forecast –)',
        '– / –',
        'low_water',
        '2 / 12',
        '<svg>',
      ]),
    );
    expect(page).toContain('<td class="w bad">fallback</td>');
  });

  it('is well-formed whatever callers and people wrote, and fetches nothing from elsewhere', async () => {
    const { text } = await serve({
      control: fakeControl(),
      topDenied: () => [{ rule: HOSTILE, key: HOSTILE, count: 1, error: 0 }],
      forecasts: {
        ask: async (name, ask) => {
          const answer = await fakeForecasts().ask(name, ask);
          return name !== 'classes' || !('classes' in answer)
            ? answer
            : { ...answer, classes: answer.classes.map((one) => ({ ...one, id: HOSTILE })) };
        },
      },
    });
    const page = await text('/');
    expect(faultsOfMarkup(withoutScript(page))).toEqual([]);
    expect(outsideReferences(withoutScript(page)).filter((found) => !found.startsWith('href="/'))).toEqual(
      [],
    );
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/<img|<b>|<i>|<svg>/);
  });

  it('names every column and section for those who cannot see them', async () => {
    const { text } = await serve({ control: fakeControl() });
    const page = withoutScript(await text('/'));
    expect(page.match(/<th(?! scope="(col|row)")[ >]/g)).toBeNull();
    for (const [, id] of page.matchAll(/aria-labelledby="([^"]+)"/g)) {
      expect(page).toContain(`<h2 id="${id}">`);
    }
    expect(page).toContain('aria-live="polite"');
  });

  it('shows fifty rows of a table at most', async () => {
    const [bucket] = CONTROL_ANSWERS.buckets.buckets;
    const buckets = { total: 10_000, buckets: Array.from({ length: 80 }, () => bucket) };
    const { text } = await serve({
      control: fakeControl([], { ...CONTROL_ANSWERS, buckets } as typeof CONTROL_ANSWERS),
    });
    const section = /<section[^>]* id="buckets"[^]*?<\/section>/.exec(await text('/'))?.[0] ?? '';
    expect(section.match(/<tr>/g)).toHaveLength(51);
    expect(section).toContain('and 9950 more: /api/v1/buckets');
  });

  it('says what cannot be asked, and shows the rest', async () => {
    const failing = fakeControl();
    const { text } = await serve({
      control: {
        askControl: (name, ask) =>
          name === 'loans'
            ? Promise.reject(new TidegateError('TG_CONTROL_UNAVAILABLE', '<b>gone</b>'))
            : name === 'decisions'
              ? new Promise(() => undefined)
              : failing.askControl(name, ask),
      },
    });
    const page = await text('/');
    expect(page).toContain('TG_CONTROL_UNAVAILABLE: &lt;b&gt;gone&lt;/b&gt;');
    expect(page).toContain('there is no answer yet');
    expect(page).toContain('180 / 200');
  });

  it('says that there are none, without their tables', async () => {
    const { text } = await serve();
    const page = withoutScript(await text('/'));
    expect(page).toContain('No pool is configured');
    expect(page).not.toContain('id="buckets"');
  });

  it('says so in the same words where control runs for traffic alone', async () => {
    const control = {
      ...fakeControl(),
      askControl: () => Promise.reject(new TidegateError('TG_CONTROL_OFF', 'no pool is configured')),
    };
    const page = withoutScript(await (await serve({ control })).text('/'));
    expect(page).toContain('No pool is configured');
    expect(page).not.toContain('TG_CONTROL_OFF');
    expect(page).toContain('id="traffic"');
  });

  it('renders the state alone for the script', async () => {
    const asked: unknown[] = [];
    const { text } = await serve({ control: fakeControl(asked), forecasts: fakeForecasts(asked) });
    const part = await text('/?part=state');
    for (const id of ['badge', 'errors', 'state']) expect(part).toContain(`id="${id}"`);
    expect(part).not.toContain('<script');
    expect(asked).toEqual([]);
  });
});

describe('the page and traffic', () => {
  it('shows the state of groups and the shares that moved, with their reasons', async () => {
    const { text } = await serve();
    const page = await text('/');
    const cells = [...page.matchAll(/<td[^>]*>([^<]*)<\/td>/g)].map(([, cell]) => decoded(cell ?? ''));
    expect(cells).toEqual(
      expect.arrayContaining(['checkout', `a would run dry in 12 s ${HOSTILE}`, HOSTILE, '0.25 / 0.5']),
    );
    expect(page).toContain('<td class="w warn">moving</td>');
    expect(faultsOfMarkup(withoutScript(page))).toEqual([]);
  });

  it('leaves it out where no Envoy is served, and says so where it cannot be asked', async () => {
    const failing = (code: 'TG_MESH_OFF' | 'TG_FORECAST_UNAVAILABLE') => ({
      mesh: { askMesh: () => Promise.reject(new TidegateError(code, 'no')) },
    });
    const off = await serve(failing('TG_MESH_OFF'));
    expect(withoutScript(await off.text('/'))).not.toContain('id="traffic"');
    const gone = await serve(failing('TG_FORECAST_UNAVAILABLE'));
    expect(await gone.text('/')).toContain('TG_FORECAST_UNAVAILABLE: no');
  });
});

describe('the text of a cell', () => {
  it.each<[CellKind, readonly unknown[], string]>([
    ['figure', [1_234.56], '1235'],
    ['figure', [12.345], '12.3'],
    ['figure', [0.456], '0.46'],
    ['figure', [null], '–'],
    ['figure', ['7'], '–'],
    ['figure', [Infinity], '–'],
    ['against', [5, undefined], '5 / –'],
    ['word', [true], 'yes'],
    ['word', [undefined], 'no'],
    ['time', [3_723_000], '01:02:03'],
    ['time', [9e15], '–'],
    ['time', [NaN], '–'],
    ['reason', [null, null], ''],
    [
      'reason',
      [{ rule: 'share', clamps: [], reactivePerS: 1, forecastPerS: null }],
      'share (demand 1, forecast –)',
    ],
    ['mode', ['off', null], 'off'],
    ['name', [undefined], '–'],
    ['name', ['x'.repeat(301)], `${'x'.repeat(299)}…`],
  ])('%s of %j', (kind, values, expected) => {
    expect(cellText(kind, values, ['yes', 'no'])).toBe(expected);
  });
});
