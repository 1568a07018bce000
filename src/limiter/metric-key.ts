/**
 * The metric key of a match, as the reference names it: configured keys and values by default, a request's values for
 * levels with `value_to_metric` and for rules with `detailed_metric`, the pattern where `share_threshold` holds.
 */
import type { RlsDescriptor } from '../core/rls';
import type { LevelMatch } from './limit-node';

/** The shared pattern of a level's wildcard as it stands in keys and metrics, or undefined. */
export function sharedPattern(match: LevelMatch): string | undefined {
  return match.kind === 'wildcard' && match.node.shareThreshold ? patternOf(match) : undefined;
}

/** A wildcard as it stands for a value; with the star in the key, key and value joined, since they match joined. */
function patternOf({ node }: LevelMatch): string {
  if (!node.key.includes('*')) return node.value;
  return node.value === '' ? node.key : `${node.key}_${node.value}`;
}

/**
 * @param path what each entry of the descriptor met; as long as the descriptor.
 * @param detailed the rule has `detailed_metric`.
 * @returns `domain.key_value.key2`.
 */
export function metricKey(
  domain: string,
  descriptor: RlsDescriptor,
  path: readonly LevelMatch[],
  detailed: boolean,
): string {
  const anyShared = detailed && path.some((match) => sharedPattern(match) !== undefined);
  let key = domain;
  descriptor.entries.forEach((entry, index) => {
    const match = path[index];
    const pattern = match === undefined ? undefined : sharedPattern(match);
    const value = pattern ?? (detailed ? entry.value : configuredValue(match, entry.value));
    // detailed_metric keeps the separator of an empty value unless a pattern is shared; dashboards know both forms.
    const separator = value !== '' || (detailed && !anyShared) ? '_' : '';
    key += `.${entry.key}${separator}${value}`;
  });
  return key;
}

function configuredValue(match: LevelMatch | undefined, value: string): string {
  if (match === undefined) return '';
  if (match.kind === 'exact' || match.node.valueToMetric) return value;
  return match.kind === 'wildcard' ? patternOf(match) : '';
}
