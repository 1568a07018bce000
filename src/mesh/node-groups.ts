/** Which Envoy gets which snapshot. */

/** What a node says of itself. Source: envoy.config.core.v3.Node. */
export interface MeshNode {
  readonly id: string;
  readonly cluster: string;
  /** Top-level metadata whose values are text. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Nodes for which all that is given holds belong to the group. `*` at the end of a text stands for any rest. */
export interface NodeRule {
  readonly group: string;
  readonly id?: string;
  readonly cluster?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A function from a node to its group: the first rule that fits decides, else `fallback`. */
export function nodeGrouping(rules: readonly NodeRule[], fallback: string): (node: MeshNode) => string {
  return (node) => rules.find((rule) => fits(rule, node))?.group ?? fallback;
}

function fits(rule: NodeRule, node: MeshNode): boolean {
  return (
    matches(rule.id, node.id) &&
    matches(rule.cluster, node.cluster) &&
    Object.entries(rule.metadata ?? {}).every(
      ([key, wanted]) => Object.hasOwn(node.metadata, key) && matches(wanted, node.metadata[key] ?? ''),
    )
  );
}

function matches(wanted: string | undefined, text: string): boolean {
  if (wanted === undefined) return true;
  return wanted.endsWith('*') ? text.startsWith(wanted.slice(0, -1)) : text === wanted;
}
