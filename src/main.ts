#!/usr/bin/env node
/** The program's entry. */
import { setFlagsFromString } from 'node:v8';
import { run } from './cli/run';

// V8 takes what lives long in a busy moment, when many calls wait, for a habit of the code that made it, and has that code
// allocate among the old for good: each call then leaves garbage there that only a full collection finds.
setFlagsFromString('--no-allocation-site-pretenuring');

// A reader that has seen enough, such as `head`, ends nothing: reports are still to be written.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

void run(process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
});
