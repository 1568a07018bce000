/** The thread in which regret is measured: ticks of control never wait for it. */
import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { FromLearning, LearningPort, ToLearning } from './learning-messages';
import { advisorOf } from './model-advisor';
import { RegretBench } from './regret-bench';

const MAX_HEAP_MB = 512;

/** Begins a thread. */
export function beginLearningThread(): LearningPort {
  const worker = new Worker(join(__dirname, 'learning-thread.js'), {
    workerData: { learning: true },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => void worker.on('message', listener),
    onEnd: (listener) => {
      let told = false;
      const tell = (why: string): void => {
        if (!told) listener(why);
        told = true;
      };
      worker.on('error', (error) => tell(String(error)));
      worker.on('exit', (code) => tell(`it exited with ${code}`));
    },
    end: () => void worker.terminate(),
  };
}

// This file is its own worker: its data says so, so that importing it elsewhere (also in another worker) does nothing.
if (parentPort !== null && (workerData as { learning?: boolean } | null)?.learning === true) {
  const port = parentPort;
  const bench = new RegretBench(advisorOf);
  port.on('message', (message: ToLearning) => {
    const answer: FromLearning | undefined = bench.take(message);
    if (answer !== undefined) port.postMessage(answer);
  });
}
