/** The part of the page's script that draws what came of a class and what was, and is, foreseen of it. */

/** Uses `byId`, `make` and `askJson` of the page's script; defines `drawChart`. */
export const CHART_SCRIPT = `
const PAST_MS = 7200000, MAX_FORESEEN = 720, HIGH = 240, LEFT = 44, LOW = 22;
/** What was first foreseen of each time while the page has been open, per class shown. */
let foreseen = new Map(), foreseenOf = '';

function shape(name, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A path through points, with gaps where a value is missing. */
function pathOf(points, x, y) {
  let text = '', open = false;
  for (const [at, value] of points) {
    if (value === null) { open = false; continue; }
    text += (open ? 'L' : 'M') + x(at).toFixed(1) + ' ' + y(value).toFixed(1);
    open = true;
  }
  return text;
}

function remember(id, prediction) {
  if (foreseenOf !== id) { foreseen = new Map(); foreseenOf = id; }
  for (const { atMs, mean } of prediction.steps) if (!foreseen.has(atMs)) foreseen.set(atMs, mean);
  for (const at of foreseen.keys()) {
    if (foreseen.size <= MAX_FORESEEN && at >= Date.now() - PAST_MS) break;
    foreseen.delete(at);
  }
}

function plot(actual, steps, wide) {
  const past = [...foreseen].filter(([at]) => at >= actual[0][0] && at <= actual[actual.length - 1][0]);
  const times = [...actual.map(([at]) => at), ...steps.map(({ atMs }) => atMs)];
  const values = [...actual.map(([, value]) => value ?? 0), ...steps.map(({ upper }) => upper), ...past.map(([, mean]) => mean)];
  const [from, to] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))];
  const top = values.reduce((a, b) => Math.max(a, b), 0) * 1.1 || 1;
  const x = (at) => LEFT + ((at - from) / Math.max(to - from, 1)) * (wide - LEFT - 8);
  const y = (value) => HIGH - LOW - (Math.max(value, 0) / top) * (HIGH - LOW - 8);
  const svg = shape('svg', { width: wide, height: HIGH, viewBox: '0 0 ' + wide + ' ' + HIGH, role: 'img' });
  for (const part of [0, 0.5, 1]) {
    const value = (top / 1.1) * part;
    svg.append(shape('line', { x1: LEFT, x2: wide - 8, y1: y(value), y2: y(value), class: 'grid' }));
    svg.append(shape('text', { x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }, cellText('figure', [value], [])));
  }
  const marks = wide < 500 ? 2 : 4;
  for (let mark = 0; mark <= marks; mark += 1) {
    const at = from + ((to - from) * mark) / marks;
    const anchor = mark === 0 ? 'start' : mark === marks ? 'end' : 'middle';
    svg.append(shape('text', { x: x(at), y: HIGH - 4, 'text-anchor': anchor }, cellText('time', [at], []).slice(0, 5)));
  }
  const band = [...steps.map(({ atMs, upper }) => [atMs, upper]), ...steps.map(({ atMs, lower }) => [atMs, lower]).reverse()];
  if (band.length > 0) svg.append(shape('path', { d: pathOf(band, x, y) + 'Z', class: 'band' }));
  svg.append(shape('path', { d: pathOf(past, x, y), class: 'foreseen' }));
  svg.append(shape('path', { d: pathOf(steps.map(({ atMs, mean }) => [atMs, mean]), x, y), class: 'foreseen' }));
  svg.append(shape('path', { d: pathOf(actual, x, y), class: 'actual' }));
  return svg;
}

async function fillClasses() {
  const { classes } = await askJson('/api/v1/classes?limit=50');
  byId('class').replaceChildren(...classes.map(({ id }) => {
    const option = make('option', id.slice(0, 200));
    option.value = id;
    return option;
  }));
}

async function drawChart() {
  const note = byId('chart-note'), place = byId('chart');
  try {
    if (byId('class').options.length === 0) await fillClasses();
    const id = byId('class').value;
    if (id === '') { note.textContent = 'No class has been seen yet.'; return; }
    const named = 'class=' + encodeURIComponent(id);
    const [series, prediction] = await Promise.all([
      askJson('/api/v1/series?' + named + '&resolution=1m&from=' + (Date.now() - PAST_MS)),
      askJson('/api/v1/predictions?' + named + '&horizon=1h'),
    ]);
    if (byId('class').value !== id) return;
    remember(id, prediction);
    const perStep = series.figure === 'level' ? 1 : series.stepMs / 1000;
    const actual = series.values.map((value, at) => [series.startMs + at * series.stepMs, value === null ? null : value / perStep]);
    if (actual.length === 0) { note.textContent = 'Nothing is known of this class yet.'; place.replaceChildren(); return; }
    const last = actual.map(([, value]) => value).filter((value) => value !== null).pop();
    const end = prediction.steps[prediction.steps.length - 1];
    const said = 'Lately ' + cellText('figure', [last], []) + ' a second'
      + (end ? '; at ' + cellText('time', [end.atMs], []).slice(0, 5) + ' UTC ' + cellText('figure', [end.mean], []) + ' are foreseen, '
        + cellText('figure', [end.lower], []) + ' to ' + cellText('figure', [end.upper], []) + ' in four of five cases' : '; nothing is foreseen')
      + '. Line: what came. Dashes: what was, or is, foreseen. Model: ' + prediction.model + '.';
    const svg = plot(actual, prediction.steps, Math.max(280, place.clientWidth));
    svg.setAttribute('aria-label', said);
    place.replaceChildren(svg);
    note.textContent = said;
  } catch (error) {
    note.textContent = 'not up to date: ' + error.message;
  }
}
`;
