/**
 * A chart as one SVG element: axes, curves, bands and marks. It holds no colours: a page's style sheet gives every
 * `look` its own (see style.ts), so that one chart serves light and dark pages.
 */
import { element, escaped, figure, type MarkupText } from './markup';
import { thinnedBand, thinnedLine, type Points } from './thinning';
import { linearTicks, timeTicks, type Tick } from './ticks';

/** A curve's colour and stroke, by number from 1; `actual` for what came, `band80` and `band95` for intervals. */
export type Look = `series${1 | 2 | 3 | 4 | 5 | 6 | 7}` | 'actual' | 'band80' | 'band95' | 'alert' | 'guide';

/** Something that is drawn, the first below the others. */
export type Layer =
  | {
      readonly kind: 'line';
      readonly look: Look;
      readonly label: string;
      readonly x: ArrayLike<number>;
      readonly y: ArrayLike<number>;
    }
  | {
      readonly kind: 'band';
      readonly look: Look;
      readonly label: string;
      readonly x: ArrayLike<number>;
      readonly low: ArrayLike<number>;
      readonly high: ArrayLike<number>;
    }
  /** Points with a text each, which a reader sees when pointing at it. */
  | {
      readonly kind: 'marks';
      readonly look: Look;
      readonly label: string;
      readonly points: readonly { readonly x: number; readonly y: number; readonly text: string }[];
    }
  /** Straight lines through the whole chart. */
  | { readonly kind: 'level'; readonly look: Look; readonly label: string; readonly y: number }
  | {
      readonly kind: 'moments';
      readonly look: Look;
      readonly label: string;
      readonly points: readonly { readonly x: number; readonly text: string }[];
    };

/** A chart. */
export interface Plot {
  /** Unique in its page: names of its parts begin with it. */
  readonly id: string;
  readonly title: string;
  /** What is to be seen, for those who cannot see it. */
  readonly description: string;
  readonly xAxis: { readonly label: string; readonly time: boolean };
  readonly yAxis: { readonly label: string; readonly low?: number; readonly high?: number };
  readonly layers: readonly Layer[];
}

const WIDTH = 760;
const HEIGHT = 280;
const MARGIN = { top: 12, right: 14, bottom: 40, left: 58 };
const INNER_WIDTH = WIDTH - MARGIN.left - MARGIN.right;
const INNER_HEIGHT = HEIGHT - MARGIN.top - MARGIN.bottom;
/** Of the span of the values, so much is left free above them. */
const HEADROOM = 0.05;

/** Bands are drawn up to this many times the highest point of the curves. */
const BAND_REACH = 1.6;

interface Range {
  readonly low: number;
  readonly high: number;
}

interface Frame {
  readonly x: Range;
  readonly y: Range;
  readonly px: (x: number) => number;
  readonly py: (y: number) => number;
}

/** The chart as an `svg` element with a title and a description. */
export function plotSvg(plot: Plot): MarkupText {
  const frame = frameOf(plot);
  const clip = `${plot.id}-clip`;
  const area = { x: MARGIN.left, y: MARGIN.top, width: INNER_WIDTH, height: INNER_HEIGHT };
  return element(
    'svg',
    {
      class: 'chart',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-labelledby': `${plot.id}-title ${plot.id}-desc`,
      xmlns: 'http://www.w3.org/2000/svg',
    },
    [
      element('title', { id: `${plot.id}-title` }, [escaped(plot.title)]),
      element('desc', { id: `${plot.id}-desc` }, [escaped(plot.description)]),
      element('defs', {}, [element('clipPath', { id: clip }, [element('rect', area)])]),
      axes(plot, frame),
      element(
        'g',
        { 'clip-path': `url(#${clip})` },
        plot.layers.map((layer) => drawn(layer, frame)),
      ),
    ],
  );
}

function frameOf({ layers, yAxis }: Plot): Frame {
  const x = rangeOf(layers.flatMap((layer) => extent(layer, 'x')));
  const all = rangeOf(layers.flatMap((layer) => extent(layer, 'y')));
  const curves = layers.filter(({ kind }) => kind !== 'band').flatMap((layer) => extent(layer, 'y'));
  const cut = rangeOf(curves).high * BAND_REACH;
  // One wide interval must not flatten everything else: bands go on beyond the frame.
  const seen = { low: all.low, high: cut > 0 && curves.some(drawable) ? Math.min(all.high, cut) : all.high };
  const low = yAxis.low ?? seen.low;
  const y = padded({ low, high: yAxis.high ?? seen.high + (seen.high - low) * HEADROOM });
  const { low: left, high: right } = padded(x);
  return {
    x: { low: left, high: right },
    y,
    px: (at) => MARGIN.left + ((at - left) / (right - left)) * INNER_WIDTH,
    py: (at) => MARGIN.top + INNER_HEIGHT - ((at - y.low) / (y.high - y.low)) * INNER_HEIGHT,
  };
}

/** A range that is not empty. */
function padded({ low, high }: Range): Range {
  return high > low ? { low, high } : { low, high: low + 1 };
}

function rangeOf(figures: readonly number[]): Range {
  const known = figures.filter(drawable);
  return known.length === 0 ? { low: 0, high: 1 } : { low: Math.min(...known), high: Math.max(...known) };
}

/** The lowest and highest figure of a layer along an axis. */
function extent(layer: Layer, axis: 'x' | 'y'): readonly number[] {
  switch (layer.kind) {
    case 'line':
      return ends(layer[axis]);
    case 'band':
      return axis === 'x' ? ends(layer.x) : [...ends(layer.low), ...ends(layer.high)];
    case 'marks':
      return ends(layer.points.map((point) => point[axis]));
    case 'level':
      return axis === 'y' ? [layer.y] : [];
    case 'moments':
      return axis === 'x' ? layer.points.map(({ x }) => x) : [];
  }
}

/** Figures that are none, and those beyond all measure, are not drawn. */
function drawable(value: number | undefined): boolean {
  return value !== undefined && Math.abs(value) < 1e100;
}

function ends(figures: ArrayLike<number>): readonly number[] {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < figures.length; at += 1) {
    const value = figures[at] ?? NaN;
    if (!drawable(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function drawn(layer: Layer, frame: Frame): MarkupText {
  const { px, py } = frame;
  const look = `look ${layer.look}`;
  switch (layer.kind) {
    case 'line':
      return element('path', { class: look, d: path(thinnedLine(layer.x, layer.y, INNER_WIDTH / 2), frame) });
    case 'band': {
      const { low, high } = thinnedBand(layer.x, layer.low, layer.high, INNER_WIDTH / 2);
      return element('path', { class: `${look} area`, d: bandPath(low, high, frame) });
    }
    case 'marks':
      return element(
        'g',
        { class: `${look} marks` },
        layer.points
          .filter(({ x, y }) => drawable(x) && drawable(y))
          .map(({ x, y, text }) =>
            element('circle', { cx: px(x), cy: py(y), r: 4 }, [element('title', {}, [escaped(text)])]),
          ),
      );
    case 'level':
      return element('path', { class: look, d: `M${MARGIN.left} ${figure(py(layer.y))}h${INNER_WIDTH}` });
    case 'moments':
      return element(
        'g',
        { class: look },
        layer.points
          .filter(({ x }) => drawable(x))
          .map(({ x, text }) =>
            element('path', { d: `M${figure(px(x))} ${MARGIN.top}v${INNER_HEIGHT}` }, [
              element('title', {}, [escaped(text)]),
            ]),
          ),
      );
  }
}

function path({ x, y }: Points, { px, py }: Frame): string {
  let pen = 'M';
  return x
    .map((at, index) => {
      const value = y[index] ?? NaN;
      if (!drawable(value) || !drawable(at)) {
        pen = 'M';
        return '';
      }
      const text = `${pen}${figure(px(at))} ${figure(py(value))}`;
      pen = 'L';
      return text;
    })
    .join('');
}

function bandPath(low: Points, high: Points, frame: Frame): string {
  const known = low.x
    .map((_, at) => at)
    .filter((at) => drawable(low.x[at]) && drawable(low.y[at]) && drawable(high.y[at]));
  if (known.length === 0) return '';
  const pick = ({ x, y }: Points, order: readonly number[]): Points => ({
    x: order.map((at) => x[at] ?? NaN),
    y: order.map((at) => y[at] ?? NaN),
  });
  const there = path(pick(high, known), frame);
  const back = path(pick(low, [...known].reverse()), frame).replace('M', 'L');
  return `${there}${back}Z`;
}

function axes({ xAxis, yAxis }: Plot, { x, y, px, py }: Frame): MarkupText {
  const bottom = MARGIN.top + INNER_HEIGHT;
  const across = (tick: Tick): MarkupText =>
    element('g', {}, [
      element('path', { class: 'grid', d: `M${MARGIN.left} ${figure(py(tick.at))}h${INNER_WIDTH}` }),
      element('text', { x: MARGIN.left - 6, y: py(tick.at) + 4, 'text-anchor': 'end' }, [
        escaped(tick.label),
      ]),
    ]);
  const down = (tick: Tick): MarkupText =>
    element('g', {}, [
      element('path', { class: 'grid', d: `M${figure(px(tick.at))} ${bottom}v5` }),
      element('text', { x: px(tick.at), y: bottom + 18, 'text-anchor': 'middle' }, [escaped(tick.label)]),
    ]);
  const middle = MARGIN.top + INNER_HEIGHT / 2;
  return element('g', { class: 'axes', 'aria-hidden': 'true' }, [
    ...linearTicks(y.low, y.high, 5).map(across),
    ...(xAxis.time ? timeTicks(x.low, x.high, 9) : linearTicks(x.low, x.high, 9)).map(down),
    element('path', { class: 'axis', d: `M${MARGIN.left} ${bottom}h${INNER_WIDTH}` }),
    element(
      'text',
      { class: 'name', x: MARGIN.left + INNER_WIDTH / 2, y: HEIGHT - 4, 'text-anchor': 'middle' },
      [escaped(xAxis.label)],
    ),
    element(
      'text',
      {
        class: 'name',
        x: 12,
        y: middle,
        'text-anchor': 'middle',
        transform: `rotate(-90 12 ${figure(middle)})`,
      },
      [escaped(yAxis.label)],
    ),
  ]);
}
