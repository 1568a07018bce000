/** The text of `/rlconfig`: one line a rule, in the reference's form. */
import { UNITS } from '../core/rls';
import type { LimitTable } from './limit-table';

/** @returns lines such as `domain.key: unit=MINUTE requests_per_unit=3, shadow_mode: false, quota_mode: false`. */
export function renderRlconfig(table: LimitTable): string {
  return table.rules
    .map((rule) => {
      const unit = UNITS.find((known) => known.number === rule.currentLimit.unit)?.name ?? 'UNKNOWN';
      const modes = `shadow_mode: ${rule.shadowMode}, quota_mode: ${rule.quotaMode}`;
      return `${rule.id}: unit=${unit} requests_per_unit=${rule.currentLimit.requestsPerUnit}, ${modes}\n`;
    })
    .join('');
}
