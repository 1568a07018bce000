/** One level of a domain's compiled descriptors, and how an entry of a request finds its way down. */
import type { RlsEntry } from '../core/rls';
import type { Rule } from './rule';
import { wildcardMatches, wildcardParts, type WildcardParts } from './wildcard';

/** How an entry met a configured descriptor. */
export type MatchKind = 'exact' | 'wildcard' | 'key';

/** A configured descriptor. Filled while the limits load, then only read. */
export interface LimitNode {
  readonly key: string;
  readonly value: string;
  readonly rule: Rule | undefined;
  readonly valueToMetric: boolean;
  readonly shareThreshold: boolean;
  readonly children: LimitLevel;
}

/** A wildcard of a level, in the order of the file. */
interface WildcardEntry {
  /** The entry's key must equal this; undefined when the star is in the key, and the joined text is matched. */
  readonly key: string | undefined;
  readonly parts: WildcardParts;
  readonly node: LimitNode;
}

/** What an entry met at a level. */
export interface LevelMatch {
  readonly node: LimitNode;
  readonly kind: MatchKind;
}

/** The descriptors that stand beside each other. */
export class LimitLevel {
  // Keyed by key, then value, so that (`a_b`) and (`a`, `b`) stay apart.
  private readonly byKey = new Map<string, Map<string, LimitNode>>();
  private readonly wildcards: WildcardEntry[] = [];

  get empty(): boolean {
    return this.byKey.size === 0;
  }

  /** Every descriptor of the level, in the order of the file for equal keys. */
  *nodes(): Iterable<LimitNode> {
    for (const values of this.byKey.values()) yield* values.values();
  }

  /** @returns the descriptor with exactly this key and configured value. */
  get(key: string, value: string): LimitNode | undefined {
    return this.byKey.get(key)?.get(value);
  }

  /** Adds a descriptor; the caller has made sure that its key and value are new here. */
  add(node: LimitNode): void {
    let values = this.byKey.get(node.key);
    if (values === undefined) this.byKey.set(node.key, (values = new Map<string, LimitNode>()));
    values.set(node.value, node);
    if (node.key.includes('*')) {
      const joined = node.value === '' ? node.key : `${node.key}_${node.value}`;
      this.wildcards.push({ key: undefined, parts: wildcardParts(joined), node });
    } else if (node.value.includes('*')) {
      this.wildcards.push({ key: node.key, parts: wildcardParts(node.value), node });
    }
  }

  /** The reference's order: the exact value, the first wildcard of the file that matches, the bare key. No backtracking. */
  match(entry: RlsEntry): LevelMatch | undefined {
    const values = this.byKey.get(entry.key);
    const exact = entry.value === '' ? undefined : values?.get(entry.value);
    // A value that is spelt like a wildcard of the level is one of that wildcard's values.
    if (exact !== undefined) return { node: exact, kind: exact.value.includes('*') ? 'wildcard' : 'exact' };
    for (const wildcard of this.wildcards) {
      const text = wildcard.key === undefined ? `${entry.key}_${entry.value}` : entry.value;
      if (wildcard.key !== undefined && wildcard.key !== entry.key) continue;
      if (wildcardMatches(wildcard.parts, text)) return { node: wildcard.node, kind: 'wildcard' };
    }
    const bare = values?.get('');
    return bare === undefined ? undefined : { node: bare, kind: 'key' };
  }
}
