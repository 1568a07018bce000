/**
 * How long calls took, for metrics. Where calls come in turns, those that are decided within one are timed together: each took
 * as long as its turn, from the read that brought it until all answers of that read were there to be sent.
 */

/** How a call ended, for metrics. */
export type CallResult = 'ok' | 'over_limit' | 'error';

/** Told that `calls` of them ended in that way after so long each. */
export type CallFinished = (result: CallResult, durationMs: number, calls: number) => void;

/** Where turns begin and end. */
export interface CallTurns {
  readonly inTurn: boolean;
  /** Has a listener told, at each turn's end, how long it took, ms. */
  onEnd(listener: (tookMs: number) => void): void;
}

/** See the file's head. */
export class CallTimes {
  private passed = 0;
  private denied = 0;

  constructor(
    private readonly finished: CallFinished,
    private readonly monotonicMs: () => number,
    private readonly turns: CallTurns | undefined,
  ) {
    turns?.onEnd((tookMs) => this.turnEnded(tookMs));
  }

  /** A call was decided at once. */
  decided(result: CallResult, startedMs: number): void {
    if (this.turns?.inTurn !== true) this.settled(result, startedMs);
    else if (result === 'ok') this.passed += 1;
    else this.denied += 1;
  }

  /** A call ended that may have waited. */
  settled(result: CallResult, startedMs: number): void {
    this.finished(result, this.monotonicMs() - startedMs, 1);
  }

  private turnEnded(tookMs: number): void {
    const { passed, denied } = this;
    if (passed > 0) this.finished('ok', tookMs, passed);
    if (denied > 0) this.finished('over_limit', tookMs, denied);
    this.passed = 0;
    this.denied = 0;
  }
}
