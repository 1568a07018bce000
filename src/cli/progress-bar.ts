/** A progress bar on standard error, where a person looks at it. */
import { SingleBar } from 'cli-progress';

/** What is told of how far work has come. */
export interface Progress {
  /** @param part 0 to 1. @param what what is being worked on. */
  update(part: number, what: string): void;
  /** Takes the bar away. */
  stop(): void;
}

const SILENT: Progress = { update: () => undefined, stop: () => undefined };
const UNITS = 1_000;

/** @returns a bar when standard error is a terminal and nobody asked for quiet, else one that shows nothing. */
export function progressBar(quiet: boolean): Progress {
  if (quiet || !process.stderr.isTTY) return SILENT;
  const bar = new SingleBar({
    format: '{bar} {percentage} %  {what}',
    barCompleteChar: '#',
    barIncompleteChar: '.',
    barsize: 30,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
  });
  bar.start(UNITS, 0, { what: '' });
  return {
    update: (part, what) => bar.update(Math.round(part * UNITS), { what }),
    stop: () => bar.stop(),
  };
}
