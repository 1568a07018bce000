/**
 * Reads one limits file: the dialect of envoyproxy/ratelimit with our additions. Finds every mistake of the file, not
 * just the first; a file with a mistake yields no limits at all.
 */
import type { TidegateError } from '../../core/errors';
import { Diagnostics } from './diagnostics';
import { ADDITION_KEYS, FieldReader } from './field-reader';
import type { DescriptorSpec, LimitsFileResult, LimitsText } from './limits-file';
import { readMetadata } from './metadata-reader';
import { readRateLimit } from './rate-limit-reader';
import { isNull, parseYamlTree, type MapNode } from './yaml-tree';

const DESCRIPTOR_KEYS = [
  ...[
    'key',
    'value',
    'rate_limit',
    'descriptors',
    'shadow_mode',
    'quota_mode',
    'detailed_metric',
    'value_to_metric',
  ],
  ...['share_threshold', 'metadata', ...ADDITION_KEYS],
];

/** How to read a file. */
export interface ReadOptions {
  /** What the reference accepts in silence (a key twice, a key in the wrong place) is a warning, not an error. */
  readonly lenient: boolean;
}

/** Reads a file's text; see {@link LimitsFileResult}. */
export function readLimitsFile(source: LimitsText, options: ReadOptions): LimitsFileResult {
  const diagnostics = new Diagnostics(options.lenient);
  const tree = parseYamlTree(source.name, source.text, diagnostics);
  const { errors, warnings } = diagnostics;
  if (tree === undefined) return { errors, warnings };
  const start = { file: source.name, line: 1, column: 1 };
  if (tree.kind !== 'map' && !isNull(tree)) {
    diagnostics.error(
      'TG_LIMITS_TYPE',
      'the file does not hold a mapping',
      tree.at,
      'begin with `domain: NAME` and `descriptors:`',
    );
    return { errors, warnings };
  }
  const root: MapNode = tree.kind === 'map' ? tree : { kind: 'map', pairs: [], at: start };
  const fields = new FieldReader(root, 'a limits file', ['domain', 'descriptors'], diagnostics);
  const domain = fields.text('domain');
  if (domain === '' && !fields.isWrong('domain'))
    diagnostics.error('TG_LIMITS_EMPTY_DOMAIN', 'config file cannot have empty domain', {
      ...start,
      ...fields.at('domain'),
    });
  const descriptors = readDescriptors(fields, `${domain}.`, diagnostics);
  const at = { ...start, ...fields.at('domain') };
  const claim = domain === '' ? {} : { domain: { name: domain, file: source.name, at } };
  errors.sort(byPlace);
  if (errors.length > 0) return { ...claim, errors, warnings };
  return { ...claim, file: { name: source.name, domain, descriptors, at }, errors, warnings };
}

function byPlace(a: TidegateError, b: TidegateError): number {
  const [lineA, lineB] = [a.at?.line ?? 0, b.at?.line ?? 0];
  return lineA === lineB ? (a.at?.column ?? 0) - (b.at?.column ?? 0) : lineA - lineB;
}

/** @param parentId what stands before the descriptors in composite keys, such as `domain.key.`. */
function readDescriptors(
  parent: FieldReader,
  parentId: string,
  diagnostics: Diagnostics,
): readonly DescriptorSpec[] {
  const seen = new Set<string>();
  return parent.maps('descriptors').map((node) => {
    const descriptor = readDescriptor(node, parentId, diagnostics);
    const identity = `${descriptor.key.length} ${descriptor.key}${descriptor.value}`;
    if (descriptor.key !== '' && seen.has(identity)) {
      const message = `duplicate descriptor composite key '${parentId}${compositeKey(descriptor)}'`;
      diagnostics.error('TG_LIMITS_DUPLICATE_DESCRIPTOR', message, node.at);
    }
    seen.add(identity);
    return descriptor;
  });
}

function compositeKey({ key, value }: Pick<DescriptorSpec, 'key' | 'value'>): string {
  return value === '' ? key : `${key}_${value}`;
}

function readDescriptor(node: MapNode, parentId: string, diagnostics: Diagnostics): DescriptorSpec {
  const fields = new FieldReader(node, 'a descriptor', DESCRIPTOR_KEYS, diagnostics);
  const key = fields.text('key');
  const value = fields.text('value');
  const composite = compositeKey({ key, value });
  if (key === '' && !fields.isWrong('key'))
    diagnostics.error('TG_LIMITS_EMPTY_KEY', 'descriptor has empty key', node.at);
  const shareThreshold = fields.flag('share_threshold');
  if (shareThreshold && !key.includes('*') && !value.includes('*')) {
    diagnostics.error(
      'TG_LIMITS_SHARE_THRESHOLD',
      `share_threshold can only be used with wildcard values (containing '*'), but found key '${composite}'`,
      fields.at('share_threshold'),
    );
  }
  const limitNode = fields.value('rate_limit');
  if (limitNode !== undefined && limitNode.kind !== 'map') {
    diagnostics.error(
      'TG_LIMITS_TYPE',
      "'rate_limit' is not a mapping",
      fields.at('rate_limit'),
      'write a mapping',
    );
  }
  const rateLimit = limitNode?.kind === 'map' ? readRateLimit(limitNode, fields, diagnostics) : undefined;
  if (limitNode === undefined) {
    for (const addition of ADDITION_KEYS) {
      if (fields.has(addition))
        diagnostics.error(
          'TG_LIMITS_NEEDS_RATE_LIMIT',
          `'${addition}' is set, but the descriptor has no rate_limit`,
          fields.at(addition),
        );
    }
  }
  const metadata = readMetadata(fields.value('metadata'), diagnostics);
  return {
    key,
    value,
    ...(rateLimit === undefined ? {} : { rateLimit }),
    descriptors: readDescriptors(fields, `${parentId}${composite}.`, diagnostics),
    shadowMode: fields.flag('shadow_mode'),
    quotaMode: fields.flag('quota_mode'),
    detailedMetric: fields.flag('detailed_metric'),
    valueToMetric: fields.flag('value_to_metric'),
    shareThreshold,
    ...(metadata === undefined ? {} : { metadata }),
    at: node.at,
  };
}
