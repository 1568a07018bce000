/** Steps a controller for as long as it is wanted: by what is pushed to it, or by asking at every tick. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AllocationStep, ServiceObservation } from './allocation-types';

/** Where observations come from: pushed, or asked for at every tick. */
export type ObservationSource =
  | AsyncIterable<readonly ServiceObservation[]>
  | (() => readonly ServiceObservation[] | Promise<readonly ServiceObservation[]>);

/** Told what every step comes to. The next step waits for it. */
export type AllocationSink = (step: AllocationStep) => void | Promise<void>;

/** How long, and by which clock. */
export interface RunOptions {
  /** Ends the run; it then resolves. */
  readonly signal?: AbortSignal;
  /** Unix ms. */
  readonly nowMs?: () => number;
}

/** What a run drives. */
export interface Stepper {
  readonly tickMs: number;
  step(nowMs: number, observations: readonly ServiceObservation[]): AllocationStep;
}

/** Resolves when the signal aborts or the source ends; rejects with what the source or the sink failed of. */
export async function runContinuously(
  stepper: Stepper,
  source: ObservationSource,
  sink: AllocationSink,
  { signal, nowMs = Date.now }: RunOptions = {},
): Promise<void> {
  const observed = typeof source === 'function' ? polled(source, stepper, nowMs, signal) : source;
  const iterator = observed[Symbol.asyncIterator]();
  try {
    while (signal?.aborted !== true) {
      const next = await orAborted(iterator.next(), signal);
      if (next === undefined || next.done === true) return;
      await sink(stepper.step(nowMs(), next.value));
    }
  } finally {
    // A source that waits for something is told that nobody listens; nobody waits for it to be done.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/** Asks at every tick by the clock; where asking or a step took longer, the ticks that were missed are left out. */
async function* polled(
  ask: Extract<ObservationSource, () => unknown>,
  { tickMs }: Stepper,
  nowMs: () => number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly ServiceObservation[], void> {
  let dueMs = nowMs();
  while (signal?.aborted !== true) {
    yield await ask();
    const now = nowMs();
    // A clock that stepped back begins anew from there.
    dueMs = dueMs - now > tickMs ? now + tickMs : Math.max(dueMs + tickMs, now);
    try {
      await sleep(dueMs - now, undefined, signal === undefined ? {} : { signal });
    } catch {
      return;
    }
  }
}

/** What work comes to; undefined when the signal aborts first. Leaves nothing at the signal behind. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
