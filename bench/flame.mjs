/**
 * Draws a CPU profile of V8 (node --cpu-prof) as a flame graph: one SVG without scripts, each frame's share in its tooltip. The
 * width of a frame is the CPU time in it and in what it called; idle time is left out. Needs a build.
 *
 *   node bench/flame.mjs FILE.cpuprofile [--title TEXT] [--width 1200] > flame.svg
 *   node bench/flame.mjs FILE.cpuprofile --folded          # stacks and samples, a line each, for other tools
 *   node bench/flame.mjs FILE.cpuprofile --shares          # self time by part, a table
 *
 * `--skip-s` leaves out the first seconds, such as those of the start.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const { escaped } = createRequire(import.meta.url)('../dist/chart/markup.js');

const ROW_PX = 17;
const TOP_PX = 64;
const CHAR_PX = 6.3;
/** Narrower frames are left out. */
const LEAST_PX = 0.8;

/** Parts of the program by where their code is, the first that matches, with the colour of their frames. */
const PARTS = [
  ['garbage collection', /^\(garbage collector\)/, '#c9c9c9'],
  ['kernel, native and idle work of V8', /^\(program\)/, '#dddddd'],
  ['our HTTP/2', /dist\/transport\//, '#8fb8de'],
  ['limiter, wire, handler', /dist\/(limiter|wire|app)\//, '#9ccf9c'],
  ['buckets and stores', /dist\/(bucket|store)\//, '#f2c078'],
  ['telemetry, observation', /dist\/(telemetry|observe)\//, '#d7a5d6'],
  ['rest of Tidegate', /dist\//, '#c5d86d'],
  ['packages', /node_modules\//, '#e6e08a'],
  ["Node's JavaScript", / node:/, '#f0a58f'],
  ['native calls', /^/, '#e4c9b6'],
];

/** A name that says where: `function dist/file.js`. */
function nameOf({ functionName, url }) {
  const file = url.replace(/^file:\/\//, '').replace(/^.*\/(dist|bench|node_modules)\//, '$1/');
  const name = functionName || '(anonymous)';
  return file === '' ? name : `${name} ${file}`;
}

const partOf = (name) => PARTS.find(([, pattern]) => pattern.test(name));

/** The tree of frames by name, from the profile's nodes and the time between its samples, from `skipUs` on. */
function treeOf(profile, skipUs) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const self = new Map();
  let atUs = 0;
  profile.samples.forEach((id, index) => {
    const us = Math.max(0, profile.timeDeltas[index] ?? 0);
    atUs += us;
    if (atUs >= skipUs) self.set(id, (self.get(id) ?? 0) + us);
  });
  const root = { name: 'all', self: 0, total: 0, children: new Map() };
  const add = (id, into) => {
    const node = nodes.get(id);
    const name = nameOf(node.callFrame);
    if (name === '(idle)') return;
    let frame = into.children.get(name);
    if (frame === undefined) {
      frame = { name, self: 0, total: 0, children: new Map() };
      into.children.set(name, frame);
    }
    frame.self += self.get(id) ?? 0;
    for (const child of node.children ?? []) add(child, frame);
  };
  const [top] = profile.nodes;
  for (const child of top.children ?? []) add(child, root);
  const sum = (frame) => {
    frame.total = [...frame.children.values()].reduce((total, child) => total + sum(child), frame.self);
    return frame.total;
  };
  sum(root);
  return root;
}

function foldedOf(root) {
  const lines = [];
  const walk = (frame, path) => {
    const here = [...path, frame.name.replaceAll(';', ',')];
    if (frame.self > 0) lines.push(`${here.join(';')} ${Math.round(frame.self)}`);
    for (const child of frame.children.values()) walk(child, here);
  };
  for (const child of root.children.values()) walk(child, []);
  return lines.join('\n');
}

function sharesOf(root) {
  const shares = new Map(PARTS.map(([part]) => [part, 0]));
  const walk = (frame) => {
    const [part] = partOf(frame.name);
    shares.set(part, shares.get(part) + frame.self);
    frame.children.forEach(walk);
  };
  root.children.forEach(walk);
  return [...shares].map(([part, time]) => [part, time / root.total]);
}

function svgOf(root, title, width) {
  const perUs = width / root.total;
  const boxes = [];
  let deepest = 0;
  const place = (frame, x, depth) => {
    const widthPx = frame.total * perUs;
    if (widthPx < LEAST_PX) return;
    deepest = Math.max(deepest, depth);
    boxes.push({ frame, x, depth, widthPx });
    let at = x;
    for (const child of [...frame.children.values()].sort((a, b) => b.total - a.total)) {
      place(child, at, depth + 1);
      at += child.total * perUs;
    }
  };
  place(root, 0, 0);
  const height = TOP_PX + (deepest + 1) * ROW_PX + 6;
  const yOf = (depth) => height - 6 - (depth + 1) * ROW_PX;
  const drawn = boxes.map(({ frame, x, depth, widthPx }) => {
    const fill = depth === 0 ? '#eeeeee' : partOf(frame.name)[2];
    const share = ((frame.total / root.total) * 100).toFixed(1);
    const letters = Math.floor((widthPx - 4) / CHAR_PX);
    const [short] = frame.name.split(' ');
    const label = letters < 3 ? '' : short.length <= letters ? short : `${short.slice(0, letters - 1)}…`;
    const text =
      label === '' ? '' : `<text x="${(x + 2).toFixed(1)}" y="${yOf(depth) + 12}">${escaped(label)}</text>`;
    const box = `<rect x="${x.toFixed(1)}" y="${yOf(depth)}" width="${Math.max(0.5, widthPx - 0.4).toFixed(1)}" height="${ROW_PX - 1}" fill="${fill}"/>`;
    return `<g><title>${escaped(frame.name)}: ${share} %</title>${box}${text}</g>`;
  });
  let [x, y] = [4, 28];
  const legend = sharesOf(root).map(([part, share], index) => {
    const label = `${part} ${(share * 100).toFixed(0)} %`;
    const wide = 22 + label.length * 5.6;
    if (x + wide > width) [x, y] = [4, y + 15];
    const item = `<rect x="${x}" y="${y}" width="10" height="10" fill="${PARTS[index][2]}"/><text x="${x + 13}" y="${y + 9}">${escaped(label)}</text>`;
    x += wide;
    return item;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="10.5">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="4" y="17" font-size="14">${escaped(title)}</text>
${legend.join('\n')}
${drawn.join('\n')}
</svg>`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    title: { type: 'string', default: 'CPU time' },
    width: { type: 'string', default: '1200' },
    'skip-s': { type: 'string', default: '0' },
    folded: { type: 'boolean', default: false },
    shares: { type: 'boolean', default: false },
  },
});
const [file] = positionals;
if (file === undefined) throw new Error('name a .cpuprofile');
const root = treeOf(JSON.parse(readFileSync(file, 'utf8')), Number(values['skip-s']) * 1e6);
if (values.folded) console.log(foldedOf(root));
else if (values.shares)
  for (const [part, share] of sharesOf(root)) console.log(`| ${part} | ${(share * 100).toFixed(0)} % |`);
else console.log(svgOf(root, values.title, Number(values.width)));
