/**
 * Keeps the limiter's table in step with the limits files. A load is whole or not at all: a bad one keeps the limits
 * that were there, and is told in the log, a metric and the API.
 */
import type { LimitsView } from '../admin/deps';
import { TidegateError } from '../core/errors';
import type { Clock } from '../core/clock';
import type { Logger, RuleCounters } from '../core/ports';
import { compileInSteps, type CompileOptions, type CompileResult } from '../limiter/compile-limits';
import type { LimitsFileResult, LimitsText } from '../limiter/dialect/limits-file';
import type { LimitTable } from '../limiter/limit-table';
import type { RuleDefaults } from '../limiter/rule';
import type { LimitsReader } from './limits-reading';

/** What the service stands on. */
export interface LimitsServiceParts {
  /** Reads the limits files. Rejects with a TidegateError. */
  readonly read: () => Promise<readonly LimitsText[]>;
  /** Reads their YAML: the first time here, later in a worker, so that a reload is not felt. */
  readonly parseFirst: LimitsReader;
  readonly parseLater: LimitsReader;
  /** Resolves after the event loop has turned. */
  readonly nextTurn: () => Promise<void>;
  /** Called with each new table, and the files that it is made of; `load` resolves after it has. */
  readonly use: (table: LimitTable, files: readonly LimitsFileResult[]) => void | Promise<void>;
  readonly counted: (ok: boolean) => void;
  readonly countersFor: (metricKey: string) => RuleCounters;
  readonly countersForRule: (id: string) => RuleCounters;
  /** Where the demand for a rule is counted. */
  readonly demandFor?: NonNullable<CompileOptions['demandFor']>;
  /** Where a rule's parameters come from, besides the files. */
  readonly tuningFor?: NonNullable<CompileOptions['tuningFor']>;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** What was read, or why it could not be. */
export type LimitsRead = { readonly files: readonly LimitsText[] } | { readonly error: TidegateError };

/** How limits are compiled; see {@link CompileOptions}. */
export interface LimitsServiceOptions {
  readonly defaults: RuleDefaults;
  readonly mergeDomains: boolean;
  readonly lenient: boolean;
}

const OVERLOOKED = 'a limits file has what the reference overlooks, and compat therefore too';

/** See the file's head. */
export class LimitsService {
  private current: LimitsView = {
    generation: 0,
    loadedAt: null,
    files: [],
    rules: 0,
    domains: [],
    errors: [],
    warnings: [],
    failedAt: null,
  };
  private running: Promise<boolean> = Promise.resolve(true);

  constructor(
    private readonly parts: LimitsServiceParts,
    private readonly options: LimitsServiceOptions,
  ) {}

  get status(): LimitsView {
    return this.current;
  }

  /** Reads the files and loads them, after any load under way. @returns whether the new limits are in use. */
  load(): Promise<boolean> {
    return this.inTurn(async () => {
      try {
        return await this.accept({ files: await this.parts.read() });
      } catch (thrown) {
        return this.failed([TidegateError.from(thrown)], []);
      }
    });
  }

  /** Loads what was read elsewhere, or takes note of why it could not be. @returns whether the new limits are in use. */
  loadRead(read: LimitsRead): Promise<boolean> {
    return this.inTurn(() => this.accept(read));
  }

  /** One load at a time, in the order asked for. */
  private inTurn(load: () => Promise<boolean>): Promise<boolean> {
    this.running = this.running
      .then(load)
      .catch((thrown: unknown) => this.failed([TidegateError.from(thrown)], []));
    return this.running;
  }

  private async accept(read: LimitsRead): Promise<boolean> {
    if ('error' in read) return this.failed([read.error], []);
    const { lenient } = this.options;
    const parse = this.current.generation === 0 ? this.parts.parseFirst : this.parts.parseLater;
    const generation = this.current.generation + 1;
    const { countersFor, countersForRule, demandFor, tuningFor } = this.parts;
    const options: CompileOptions = {
      ...this.options,
      generation,
      countersFor,
      countersForRule,
      ...(demandFor === undefined ? {} : { demandFor }),
      ...(tuningFor === undefined ? {} : { tuningFor }),
    };
    const parsed = await parse(read.files, lenient);
    const { table, errors, warnings } = await this.compile(parsed, options);
    if (table === undefined) return this.failed(errors, warnings);
    await this.parts.use(table, parsed);
    this.loaded(table, read.files, warnings);
    return true;
  }

  /** Compiles in steps with a turn of the event loop between them: the decisions that wait come first. */
  private async compile(
    results: readonly LimitsFileResult[],
    options: CompileOptions,
  ): Promise<CompileResult> {
    const steps = compileInSteps(results, options);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      await this.parts.nextTurn();
    }
  }

  private loaded(table: LimitTable, files: readonly LimitsText[], warnings: readonly TidegateError[]): void {
    const unixTimeS = this.parts.clock.nowUs() / 1_000_000;
    this.current = {
      generation: table.generation,
      loadedAt: new Date(unixTimeS * 1_000).toISOString(),
      files: files.map((file) => file.name),
      rules: table.rules.length,
      domains: [...table.domains.keys()],
      errors: [],
      warnings,
      failedAt: null,
    };
    this.parts.counted(true);
    const { logger } = this.parts;
    for (const warning of warnings) logger.warn({ error: warning }, OVERLOOKED);
    const { generation, domains, rules } = table;
    if (files.length === 0) logger.warn({ generation }, 'there are no limits files: nothing is limited');
    logger.info(
      { generation, files: files.length, domains: domains.size, rules: rules.length },
      'limits loaded',
    );
  }

  private failed(errors: readonly TidegateError[], warnings: readonly TidegateError[]): false {
    const unixTimeS = this.parts.clock.nowUs() / 1_000_000;
    const { generation } = this.current;
    this.current = { ...this.current, errors, warnings, failedAt: new Date(unixTimeS * 1_000).toISOString() };
    this.parts.counted(false);
    const kept = generation === 0 ? 'there are none to keep' : `the limits of load ${generation} stay`;
    for (const error of errors) this.parts.logger.error({ error }, `limits rejected; ${kept}`);
    return false;
  }
}
