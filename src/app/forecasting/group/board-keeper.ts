/** The leader's board as this member knows it: shown by the leader each minute, read by all others. */
import type { HorizonName, Prediction } from '../../../core/forecasts';
import type { GroupLink } from '../../../core/group';
import type { Logger } from '../../../core/ports';
import { readBoard, type Board } from './board';

/** What it stands on. */
export interface BoardKeeperParts {
  /** Undefined for a process that is alone: there is no board then. */
  readonly link: GroupLink | undefined;
  /** How old a board may be, ms. */
  readonly maxAgeMs: number;
  readonly logger: Logger;
}

const READ_EVERY_MS = 10_000;
/** Clocks of members may differ by as much. */
const SKEW_MS = 60_000;

/** See the file's head. */
export class BoardKeeper {
  private kept: { readonly board: Board; readonly epoch: number } | undefined;
  private readAtMs = -Infinity;
  private busy = false;
  private unreadable = false;

  constructor(private readonly parts: BoardKeeperParts) {}

  /** The board, unless it is too old. */
  current(nowMs: number): Board | undefined {
    const board = this.kept?.board;
    if (board === undefined || nowMs - board.madeAtMs > this.parts.maxAgeMs) return undefined;
    return board.madeAtMs - nowMs > SKEW_MS ? undefined : board;
  }

  /** What the leader forecasts; undefined where it shows nothing, or long ago. */
  predict(classId: string, horizon: HorizonName, level: number, nowMs: number): Prediction | undefined {
    const shown = this.current(nowMs)?.predict(classId, horizon, level);
    const firstAtMs = shown?.steps[0]?.atMs;
    if (shown === undefined || firstAtMs === undefined || nowMs - firstAtMs <= 2 * shown.stepMs) return shown;
    return { ...shown, flags: [...new Set([...shown.flags, 'stale'])] };
  }

  /** Its age, ms; null when there is none, however old. */
  ageMs(nowMs: number): number | null {
    return this.kept === undefined ? null : Math.max(0, nowMs - this.kept.board.madeAtMs);
  }

  /** Reads it when it is time to. Never throws. */
  turn(nowMs: number): void {
    const { link } = this.parts;
    if (link === undefined || this.busy || link.role().leader) return;
    if (Math.abs(nowMs - this.readAtMs) < READ_EVERY_MS) return;
    this.readAtMs = nowMs;
    this.busy = true;
    void this.read(link, nowMs).finally(() => (this.busy = false));
  }

  /** Shows a board to all, as the leader. Never rejects. */
  async show(bytes: Uint8Array): Promise<void> {
    const { link } = this.parts;
    if (link === undefined || this.busy) return;
    this.busy = true;
    const { epoch } = link.role();
    if (await link.show(bytes)) this.keep(bytes, epoch);
    this.busy = false;
  }

  private async read(link: GroupLink, nowMs: number): Promise<void> {
    const shown = await link.board();
    if (shown === undefined) return;
    // One of an earlier leader comes only from a store that lost what it had, and begins to count anew.
    if (shown.epoch < (this.kept?.epoch ?? 0) && this.current(nowMs) !== undefined) return;
    this.keep(shown.bytes, shown.epoch);
  }

  private keep(bytes: Uint8Array, epoch: number): void {
    const board = readBoard(bytes);
    if (board !== undefined) this.kept = { board, epoch };
    else if (!this.unreadable) this.parts.logger.warn({ epoch }, "the leader's board cannot be read");
    this.unreadable = board === undefined;
  }
}
