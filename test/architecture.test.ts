/** Imports go down the layers of docs/architecture.md only; pure layers stay pure; files stay small. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const SRC = resolve(__dirname, '../src');

/** What each area may import besides itself; `*` is everything below it. A new area has to be entered here. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  bucket: ['core'],
  limiter: ['bucket', 'core'],
  wire: ['core'],
  chart: ['core'],
  series: ['core'],
  forecast: ['series', 'core'],
  control: ['bucket', 'core'],
  simulate: ['control', 'forecast', 'bucket', 'series', 'core'],
  learn: ['control', 'simulate', 'forecast', 'core'],
  balance: ['control', 'core'],
  'store/memory': ['bucket', 'limiter', 'wire', 'core'],
  'store/redis': ['bucket', 'limiter', 'wire', 'core'],
  'store/guarded': ['bucket', 'limiter', 'wire', 'core'],
  'store/queued': ['bucket', 'limiter', 'wire', 'core'],
  'store/worker-link': ['bucket', 'limiter', 'wire', 'core'],
  'store/leased': ['bucket', 'limiter', 'wire', 'core'],
  'store/borrowing': ['bucket', 'limiter', 'wire', 'core'],
  mesh: ['core'],
  transport: ['bucket', 'limiter', 'wire', 'core'],
  admin: ['bucket', 'limiter', 'wire', 'chart', 'core'],
  telemetry: ['bucket', 'limiter', 'wire', 'core'],
  config: ['bucket', 'limiter', 'wire', 'core'],
  remote: ['core'],
  observe: ['remote', 'bucket', 'limiter', 'series', 'forecast', 'core'],
  history: ['remote', 'series', 'forecast', 'core'],
  app: ['*'],
  cli: ['app', '*'],
  main: ['cli'],
  library: ['app', '*'],
};
const PURE: ReadonlySet<string> = new Set([
  'core',
  'bucket',
  'limiter',
  'wire',
  'chart',
  'series',
  'forecast',
  'control',
  'simulate',
  'learn',
  'balance',
]);
/** Above everything an adapter or the composition root may see. */
const TOP = ['app', 'cli', 'main', 'library'];
/** Packages without I/O, timers or clocks of their own, that pure areas may use. */
const PURE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  limiter: ['yaml'],
};

interface SourceFile {
  readonly path: string;
  readonly area: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly string[];
}

function areaOf(path: string): string {
  const parts = path.split('/');
  if (parts.length === 1) return (parts[0] ?? '').replace(/\.ts$/, '');
  return parts[0] === 'store' && parts.length > 2 ? `store/${parts[1]}` : (parts[0] ?? '');
}

/** Code without comments, so that prose about Date.now() is no use of it. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}

const IMPORT =
  /\bfrom\s*['"]([^'"]+)['"]|\bimport\s*['"]([^'"]+)['"]|\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g;

function load(): readonly SourceFile[] {
  return readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const path = relative(SRC, join(entry.parentPath, entry.name)).split(sep).join('/');
      const raw = readFileSync(join(SRC, path), 'utf8');
      const text = withoutComments(raw);
      const imports = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
      return { path, area: areaOf(path), text, lines: raw.trimEnd().split('\n').length, imports };
    });
}

const files = load();
const known = new Set(files.map((file) => file.path));

/** The file under src that a relative import names. */
function target(file: SourceFile, specifier: string): string {
  const path = relative(SRC, resolve(SRC, dirname(file.path), specifier.replace(/\.js$/, '')))
    .split(sep)
    .join('/');
  return [`${path}.ts`, `${path}/index.ts`, path].find((candidate) => known.has(candidate)) ?? path;
}

function edges(file: SourceFile): readonly string[] {
  return file.imports.filter((specifier) => specifier.startsWith('.')).map((one) => target(file, one));
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  const allowed = MAY_IMPORT[from] ?? [];
  return allowed.includes(to) || (allowed.includes('*') && !TOP.includes(to));
}

describe('the structure of src/', () => {
  test('has files to look at, each in a known area', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((file) => MAY_IMPORT[file.area] === undefined).map((file) => file.path)).toEqual([]);
  });

  test('imports go down the layers, and never between siblings', () => {
    const wrong = files.flatMap((file) =>
      edges(file)
        .filter((to) => !mayImport(file.area, areaOf(to)))
        .map((to) => `${file.path} -> ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  test('relative imports name files of src', () => {
    const lost = files.flatMap((file) =>
      edges(file)
        .filter((to) => !known.has(to) && !/^\.\.\/package\.json$/.test(to))
        .map((to) => `${file.path} -> ${to}`),
    );
    expect(lost).toEqual([]);
  });

  test('has no cycle of files', () => {
    const done = new Set<string>();
    const byPath = new Map(files.map((file) => [file.path, file]));
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
        return;
      }
      const file = byPath.get(path);
      if (file === undefined || done.has(path)) return;
      for (const to of edges(file)) visit(to, [...trail, path]);
      done.add(path);
    };
    for (const file of files) visit(file.path, []);
    expect(cycles).toEqual([]);
  });

  test('pure areas import no part of Node and no package but those listed', () => {
    const wrong = files
      .filter((file) => PURE.has(file.area))
      .flatMap((file) =>
        file.imports
          .filter((one) => !one.startsWith('.') && !(PURE_PACKAGES[file.area] ?? []).includes(one))
          .map((one) => `${file.path} -> ${one}`),
      );
    expect(wrong).toEqual([]);
  });

  test('pure areas use no timer, clock, randomness or process', () => {
    const impure =
      /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|performance|process|globalThis|Math\.random|Date\.now|new Date|Date\(|crypto)\b/;
    const wrong = files
      .filter((file) => PURE.has(file.area))
      .flatMap((file) => {
        const found = impure.exec(file.text);
        return found === null ? [] : [`${file.path}: ${found[0]}`];
      });
    expect(wrong).toEqual([]);
  });

  test('files have at most 400 lines, half of them at most 150', () => {
    expect(files.filter((file) => file.lines > 400).map((file) => `${file.path}: ${file.lines}`)).toEqual([]);
    const lengths = files.map((file) => file.lines).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(150);
  });

  test('files are named in kebab case, and none is a drawer', () => {
    const odd = files.filter(
      ({ path }) =>
        !/(^|\/)[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path) ||
        /(^|\/)(utils?|helpers?|tools?|misc)\.ts$/.test(path),
    );
    expect(odd.map((file) => file.path)).toEqual([]);
  });
});

describe('the check itself', () => {
  test.each([
    ['core', 'bucket', false],
    ['limiter', 'bucket', true],
    ['bucket', 'limiter', false],
    ['limiter', 'wire', false],
    ['store/redis', 'store/memory', false],
    ['admin', 'telemetry', false],
    ['transport', 'app', false],
    ['app', 'store/redis', true],
    ['app', 'cli', false],
    ['cli', 'app', true],
    ['main', 'app', false],
  ])('%s -> %s: %s', (from, to, allowed) => {
    expect(mayImport(from, to)).toBe(allowed);
  });

  test('sees every form of import, and none in comments', () => {
    const code = [
      "import type { A } from './a';",
      "export * from './b';",
      "import './c';",
      "const d = require('./d');",
      "const e = await import('./e');",
      "// import './f';",
      "/* import './g'; */",
    ].join('\n');
    const found = [...withoutComments(code).matchAll(IMPORT)].map(
      (match) => match[1] ?? match[2] ?? match[3],
    );
    expect(found).toEqual(['./a', './b', './c', './d', './e']);
  });
});
