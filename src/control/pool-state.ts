/** What a pool's leader knows beyond its outputs, as JSON text. */
import { isSavedLoad, type SavedLoad } from './health/service-load';
import type { PoolMember, SavedMember } from './pool-member';

/** What can be read of a state. */
export interface PoolState {
  readonly members: ReadonlyMap<string, SavedMember>;
  /** The lending desk's own text; empty for nothing. */
  readonly lending: string;
  /** How the services are; empty where the writer knew nothing of them. */
  readonly health: readonly SavedLoad[];
}

const FORMAT = 1;
const FIGURES = 4;

/** Writes a state. */
export function writePoolState(
  members: readonly PoolMember[],
  lending: string,
  health: readonly SavedLoad[],
): string {
  const saved: SavedMember[] = [];
  for (const member of members) {
    const figures = member.save();
    if (figures !== undefined) saved.push(figures);
  }
  return JSON.stringify({ format: FORMAT, members: saved, lending, health });
}

/** Reads a state; what is not readable is left out, whatever it is. */
export function readPoolState(text: string): PoolState {
  const nothing: PoolState = { members: new Map(), lending: '', health: [] };
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    return nothing;
  }
  if (!isRecord(state) || state['format'] !== FORMAT) return nothing;
  const rows = rowsOf(state['members']);
  const lending = state['lending'];
  return {
    members: new Map(rows.filter(isSavedMember).map((row) => [row[0], row])),
    lending: typeof lending === 'string' ? lending : '',
    health: rowsOf(state['health']).filter(isSavedLoad),
  };
}

function rowsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isSavedMember(row: unknown): row is SavedMember {
  if (!Array.isArray(row) || row.length !== FIGURES + 1 || typeof row[0] !== 'string') return false;
  return row.slice(1).every((figure) => Number.isFinite(figure));
}
