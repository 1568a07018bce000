#!/usr/bin/env bash
# The whole check: real parts, types, lint, format, build, every test. Its last lines say what ran.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; }

step 'real parts'
node scripts/setup-parts.mjs
step 'types'
npm run --silent typecheck
step 'lint and format'
npm run --silent lint
npm run --silent format:check
step 'build'
npm run --silent build
step 'tests'
npx jest "$@"
