#!/usr/bin/env node
/** The program's entry. */
import { run } from './cli/run';

void run(process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
});
