/** How far a thread gives way to the one that decides, where both want the same core. */
import { setPriority } from 'node:os';

/** Nice values (setpriority(2)): a thread's weight falls by about a fifth with each step. */
export const NICE = {
  /** Control: must go on under full load, Envoys wait for it. */
  control: 5,
  /** Fitting of models: late is as good as soon. */
  fitting: 10,
  /** Training: may take what is left over. */
  training: 19,
} as const;

/** Lowers the priority of the calling thread, where the system lets it. */
export function giveWay(nice: number): void {
  // On Linux a thread has a priority of its own; elsewhere this would be the whole process's.
  if (process.platform !== 'linux') return;
  try {
    setPriority(nice);
  } catch {
    // A sandbox may forbid it; then threads share evenly.
  }
}
