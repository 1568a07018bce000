/** What a leader tells of learning, inside the state that it publishes for whoever takes over. */
import { POOL_MODES } from '../../../core/control';
import type { PublishedLearning } from '../../../core/learning';

const KEY = 'learning';

/** Puts it into a state's JSON text, which others read as before. */
export function withLearning(state: string, published: PublishedLearning | undefined): string {
  if (published === undefined || !state.startsWith('{')) return state;
  const rest = state.slice(1);
  return `{"${KEY}":${JSON.stringify(published)}${rest.trimStart().startsWith('}') ? '' : ','}${rest}`;
}

/** @returns undefined where nothing is told, or nothing readable. */
export function learningIn(state: string): PublishedLearning | undefined {
  try {
    const told = (JSON.parse(state) as Record<string, unknown> | null)?.[KEY] as
      Partial<Record<keyof PublishedLearning, unknown>> | null | undefined;
    const mode = POOL_MODES.find((known) => known === told?.mode);
    const model = told?.model;
    return typeof model === 'string' && mode !== undefined ? { model, mode } : undefined;
  } catch {
    return undefined;
  }
}
