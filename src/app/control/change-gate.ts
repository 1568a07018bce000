/** Keeps people's changes, each of which is kept in the trail and told to every process, from coming faster than anybody orders. */
import { TidegateError } from '../../core/errors';

/** Changes that may come at once, and one that comes after so long, ms. */
const BURST = 50;
const EVERY_MS = 200;

/** See the file's head. */
export class ChangeGate {
  private left = BURST;
  private atMs = NaN;

  /** Lets a change pass. @param nowMs a step back counts as no time. @throws TidegateError TG_CONTROL_UNAVAILABLE. */
  pass(nowMs: number): void {
    const sinceMs = nowMs - this.atMs;
    if (sinceMs > 0) this.left = Math.min(BURST, this.left + sinceMs / EVERY_MS);
    this.atMs = nowMs;
    if (this.left < 1)
      throw new TidegateError('TG_CONTROL_UNAVAILABLE', `more than ${1_000 / EVERY_MS} changes a second`);
    this.left -= 1;
  }
}
