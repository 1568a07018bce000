/** What one evaluation of a bucket may write. */

/**
 * `never`: only look, and describe the bucket as it is; `allowed`: take when there is enough, leave it alone otherwise;
 * `always`: take whatever the verdict. A refund is always allowed, so any but `never` gives it.
 */
export type Charging = 'never' | 'allowed' | 'always';

/** Whether an evaluation with this verdict is charged. */
export function isCharged(charging: Charging, allowed: boolean): boolean {
  return charging === 'always' || (charging === 'allowed' && allowed);
}
