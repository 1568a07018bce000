/** Tokens that are being moved: each move is made when it arrives. */
import type { PoolEnvironment } from './environment';
import type { TokenMove } from './policy/policy';
import type { Scenario } from './scenario';

/** The moves of one environment. */
export class MovesUnderWay {
  private readonly delayTicks: number;
  private moves: { readonly move: TokenMove; readonly tick: number }[] = [];

  constructor({ lendDelayMs, tickMs }: Pick<Scenario, 'lendDelayMs' | 'tickMs'>) {
    // What arrives within a tick is there for those who come in the rest of it.
    this.delayTicks = Math.floor(lendDelayMs / tickMs);
  }

  /** Sends moves, and makes those that arrive in the tick that has begun. */
  pass(environment: PoolEnvironment, sent: readonly TokenMove[], atMs: number): void {
    const due = environment.tick + this.delayTicks;
    for (const move of sent) this.moves.push({ move, tick: due });
    if (this.moves.length === 0) return;
    const later: typeof this.moves = [];
    for (const one of this.moves) {
      if (one.tick > environment.tick) {
        later.push(one);
        continue;
      }
      const { from, to, tokens, keep, done } = one.move;
      const moved = environment.move(from, to, tokens, keep);
      done?.(moved, atMs);
    }
    this.moves = later;
  }
}
