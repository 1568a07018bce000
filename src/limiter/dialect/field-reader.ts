/** Reads the fields of one mapping by type, and reports what is unknown, misplaced or of the wrong type. */
import { parseDurationUs } from '../../core/duration';
import type { SourcePosition } from '../../core/errors';
import { MAX_UINT32 } from '../../core/rls';
import type { Diagnostics } from './diagnostics';
import { parseBoolean, parseInteger } from './scalars';
import { isNull, type ListNode, type MapNode, type Pair, type TreeNode } from './yaml-tree';

/** Every key the dialect knows, wherever it may stand: the reference looks no closer than that. */
export const DIALECT_KEYS: ReadonlySet<string> = new Set([
  ...[
    'domain',
    'key',
    'value',
    'descriptors',
    'rate_limit',
    'unit',
    'requests_per_unit',
    'unlimited',
    'shadow_mode',
    'quota_mode',
  ],
  ...['name', 'replaces', 'detailed_metric', 'value_to_metric', 'share_threshold', 'metadata'],
]);

/** Our additions to a rule; they may stand in `rate_limit` or beside it. */
export const ADDITION_KEYS = [
  'algorithm',
  'capacity',
  'consistency',
  'on_error',
  'priority',
  'weight',
  'queue',
] as const;

/** The typed fields of one mapping. */
export class FieldReader {
  private readonly fields = new Map<string, Pair>();
  private readonly wrong = new Set<string>();

  /**
   * @param what how messages call the mapping, such as `a descriptor`.
   * @param known the keys it may have.
   */
  constructor(
    readonly node: MapNode,
    what: string,
    known: readonly string[],
    private readonly diagnostics: Diagnostics,
  ) {
    for (const pair of node.pairs) {
      if (known.includes(pair.key)) {
        this.fields.set(pair.key, pair);
      } else if (DIALECT_KEYS.has(pair.key)) {
        diagnostics.overlooked(
          'TG_LIMITS_UNKNOWN_KEY',
          `'${pair.key}' does not belong in ${what}`,
          pair.keyAt,
          `${what} takes: ${known.join(', ')}`,
        );
      } else {
        diagnostics.error(
          'TG_LIMITS_UNKNOWN_KEY',
          `unknown key '${pair.key}' in ${what}`,
          pair.keyAt,
          `${what} takes: ${known.join(', ')}`,
        );
      }
    }
  }

  /** Where a field's key is, or the mapping when the field is absent. */
  at(key: string): SourcePosition {
    return this.fields.get(key)?.keyAt ?? this.node.at;
  }

  /** Whether the field is there and not null. */
  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** Whether the field has been reported as being of the wrong type, so that what follows from it need not be. */
  isWrong(key: string): boolean {
    return this.wrong.has(key);
  }

  /** The raw value, or undefined when it is absent or null. */
  value(key: string): TreeNode | undefined {
    const node = this.fields.get(key)?.value;
    return node === undefined || isNull(node) ? undefined : node;
  }

  /** Text: any scalar, as it is written. Empty when absent. */
  text(key: string): string {
    const node = this.value(key);
    if (node === undefined) return '';
    if (node.kind === 'scalar') return node.text;
    this.wrongType(key, 'text', node);
    return '';
  }

  /** A boolean; false when absent. */
  flag(key: string): boolean {
    const node = this.value(key);
    if (node === undefined) return false;
    const flag = node.kind === 'scalar' && node.plain ? parseBoolean(node.text) : undefined;
    if (flag === undefined) this.wrongType(key, 'true or false', node);
    return flag ?? false;
  }

  /** A whole number from `min` to `max`, 2^32-1 when absent; undefined when absent or wrong. */
  uint32(key: string, min: number, max = MAX_UINT32): number | undefined {
    const node = this.value(key);
    if (node === undefined) return undefined;
    const number = node.kind === 'scalar' && node.plain ? parseInteger(node.text) : undefined;
    if (number === undefined) {
      this.wrongType(key, 'a whole number', node);
    } else if (number < min || number > max) {
      this.diagnostics.error(
        'TG_LIMITS_BAD_NUMBER',
        `'${key}' is ${number}, which is out of range`,
        this.at(key),
        `write a whole number from ${min} to ${max}`,
      );
    } else {
      return number;
    }
    return undefined;
  }

  /** A duration in us from `minUs` to `maxUs`; undefined when absent or wrong. */
  durationUs(key: string, minUs: number, maxUs: number): number | undefined {
    const node = this.value(key);
    if (node === undefined) return undefined;
    const us = node.kind === 'scalar' ? parseDurationUs(node.text) : undefined;
    if (us !== undefined && us >= minUs && us <= maxUs) return us;
    const shown = node.kind === 'scalar' ? `'${node.text}'` : `a ${node.kind}`;
    this.diagnostics.error(
      'TG_LIMITS_BAD_DURATION',
      `'${key}' is ${shown}, which is no duration in range`,
      this.at(key),
    );
    return undefined;
  }

  /** One of `choices`, in any case; undefined when absent or wrong. */
  choice<T extends string>(key: string, choices: readonly T[], hint = ''): T | undefined {
    if (!this.has(key)) return undefined;
    const text = this.text(key);
    if (this.isWrong(key)) return undefined;
    const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
    if (found === undefined) {
      this.diagnostics.error(
        'TG_LIMITS_BAD_CHOICE',
        `'${key}' is '${text}'`,
        this.at(key),
        `use one of ${choices.join(', ')}${hint}`,
      );
    }
    return found;
  }

  /** A mapping; undefined when absent or wrong. */
  map(key: string): MapNode | undefined {
    const node = this.value(key);
    if (node === undefined || node.kind === 'map') return node;
    this.wrongType(key, 'a mapping', node);
    return undefined;
  }

  /** A list of mappings; what is not a mapping is reported and left out. */
  maps(key: string): readonly MapNode[] {
    const node = this.value(key);
    if (node === undefined) return [];
    if (node.kind !== 'list') {
      this.wrongType(key, 'a list', node);
      return [];
    }
    return mapsOf(node, key, this.diagnostics);
  }

  private wrongType(key: string, wanted: string, node: TreeNode): void {
    this.wrong.add(key);
    const shown = node.kind === 'scalar' ? `'${node.text}'` : `a ${node.kind === 'map' ? 'mapping' : 'list'}`;
    this.diagnostics.error(
      'TG_LIMITS_TYPE',
      `'${key}' is ${shown}, not ${wanted}`,
      this.at(key),
      `write ${wanted}`,
    );
  }
}

function mapsOf(list: ListNode, key: string, diagnostics: Diagnostics): readonly MapNode[] {
  const maps: MapNode[] = [];
  for (const item of list.items) {
    if (item.kind === 'map') maps.push(item);
    else
      diagnostics.error(
        'TG_LIMITS_TYPE',
        `'${key}' holds something other than a mapping`,
        item.at,
        'write a list of mappings',
      );
  }
  return maps;
}
