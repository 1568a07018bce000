/** Reads a descriptor's free-form `metadata` as JSON that a protobuf Struct can carry. */
import type { JsonObject, JsonValue } from '../../core/rls';
import type { Diagnostics } from './diagnostics';
import { parsePlain } from './scalars';
import { isNull, type TreeNode } from './yaml-tree';

/** @returns the metadata, or undefined when there is none or it is wrong (see `diagnostics`). */
export function readMetadata(node: TreeNode | undefined, diagnostics: Diagnostics): JsonObject | undefined {
  if (node === undefined || isNull(node)) return undefined;
  if (node.kind !== 'map') {
    diagnostics.error('TG_LIMITS_TYPE', "'metadata' is not a mapping", node.at, 'write a mapping');
    return undefined;
  }
  if (node.pairs.length === 0) return undefined;
  return toJson(node, diagnostics) as JsonObject;
}

function toJson(node: TreeNode, diagnostics: Diagnostics): JsonValue {
  if (node.kind === 'list') return node.items.map((item) => toJson(item, diagnostics));
  if (node.kind === 'map') {
    // No prototype: a key such as __proto__ is then a key like any other.
    const object = Object.create(null) as Record<string, JsonValue>;
    for (const pair of node.pairs) object[pair.key] = toJson(pair.value, diagnostics);
    return object;
  }
  const value = node.plain ? parsePlain(node.text) : node.text;
  if (typeof value === 'number' && !Number.isFinite(value)) {
    diagnostics.error('TG_LIMITS_METADATA', `'${node.text}' is no finite number`, node.at);
    return null;
  }
  return value;
}
