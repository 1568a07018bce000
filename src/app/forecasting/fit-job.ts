/** Fits as they cross between threads: kinds by name, models as their states. */
import { challenge, type ChallengeResult, type TailErrors } from '../../forecast/learning/challenge';
import type { ModelKind, ModelState, SeriesContext } from '../../forecast/model/model';
import { TidegateError } from '../../core/errors';

/** A fit to make. */
export interface FitJob {
  readonly kind: string;
  readonly values: Float64Array;
  readonly context: SeriesContext;
  readonly tailStart: number;
  readonly horizons: readonly number[];
  readonly maxOrigins: number;
  readonly champion?: { readonly kind: string; readonly state: ModelState; readonly seen: number };
}

/** What came of it. */
export interface FitOutcome {
  readonly verdict: ChallengeResult['verdict'];
  /** The fitted model, where it is taken. */
  readonly state: ModelState | undefined;
  readonly errors: TailErrors | undefined;
}

/** Makes a fit. @throws TidegateError as models do, and TG_INTERNAL for a kind that is not there. */
export function runFit(job: FitJob, kinds: ReadonlyMap<string, ModelKind>): FitOutcome {
  const { champion, ...rest } = job;
  const { verdict, model, errors } = challenge({
    ...rest,
    kind: kindNamed(kinds, job.kind),
    ...(champion === undefined ? {} : { champion: { ...champion, kind: kindNamed(kinds, champion.kind) } }),
  });
  return { verdict, state: model?.save(), errors };
}

function kindNamed(kinds: ReadonlyMap<string, ModelKind>, name: string): ModelKind {
  const kind = kinds.get(name);
  if (kind === undefined) throw new TidegateError('TG_INTERNAL', `there is no model kind ${name}`);
  return kind;
}
