/** Why traffic moves, in words. */
import type { TargetReason } from '../core/traffic';
import type { HealthVerdict } from './capacity/health-factor';
import type { TargetOutlook } from './target-outlook';

/** A rate in words. */
export function perSecond(figure: number): string {
  return `${figure.toFixed(figure < 100 ? 1 : 0)}/s`;
}

/** Why a target cannot keep its configured share; empty where it can. */
export function causeOf(target: TargetOutlook, reason: TargetReason, base: number): string {
  const { held } = target.steady;
  if (held.factor < 1) return `${target.id} ${healthWords(held)}`;
  const asked = reason.configuredDemandPerS ?? 0;
  if (base === 0 || !(asked > target.effectivePerS)) return '';
  const { depletionMs } = reason;
  if (depletionMs !== null) return `${target.id} would run dry in ${seconds(depletionMs / 1_000)}`;
  return `${target.id} may be asked for ${perSecond(asked)} and can take ${perSecond(target.effectivePerS)}`;
}

function seconds(figure: number): string {
  return `${figure.toFixed(figure < 9.95 ? 1 : 0)} s`;
}

function healthWords({ cause, figure, ahead }: HealthVerdict): string {
  const percent = `${(100 * figure).toFixed(0)} %`;
  const verb = (now: string, soon: string) => (ahead ? `is foreseen to ${soon}` : now);
  switch (cause) {
    case 'out':
      return verb('is out', 'be out');
    case 'errors':
      return `${verb('answers', 'answer')} with ${percent} errors`;
    case 'latency':
      return `${verb('answers', 'answer')} ${figure.toFixed(1)} times slower than its group`;
    case 'cpu':
      return `${verb('uses', 'use')} ${percent} CPU`;
    case 'memory':
      return `${verb('uses', 'use')} ${percent} memory`;
    case 'none':
      return 'recovers';
  }
}
