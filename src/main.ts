#!/usr/bin/env node
/** The program's entry. */
import { run } from './cli/run';

// A reader that has seen enough, such as `head`, ends nothing: reports are still to be written.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

void run(process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
});
