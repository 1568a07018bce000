/** The tenant that a bucket key names, where a descriptor's key does. */
import { escapeKeyPart } from '../limiter/bucket-key';

/**
 * @param bucketKey `domain|key=value|...`, its parts escaped (see the limiter's bucket keys).
 * @param tenantKey the descriptor key; empty for none.
 */
export function tenantOfKey(bucketKey: string, tenantKey: string): string | undefined {
  if (tenantKey === '') return undefined;
  const before = `${escapeKeyPart(tenantKey)}=`;
  const part = bucketKey.split('|').find((one, index) => index > 0 && one.startsWith(before));
  const value = part?.slice(before.length);
  return value === undefined || value === '' ? undefined : unescapeKeyPart(value);
}

function unescapeKeyPart(text: string): string {
  return text.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
