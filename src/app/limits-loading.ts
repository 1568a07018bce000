/** Reading and compiling limits by the settings, for serving and for the commands that do not serve. */
import { join } from 'node:path';
import { readLimitsFiles, type LimitsFile, type LimitsSource } from '../config/limits-files';
import type { Settings } from '../config/settings-shape';
import type { RuleCounters } from '../core/ports';
import { compileLimits, type CompileResult } from '../limiter/compile-limits';
import type { LimitsText } from '../limiter/dialect/limits-file';
import type { RuleDefaults } from '../limiter/rule';
import { packageRoot } from './package-info';

/** The limits that are served: those of the settings, or else the example that comes with Tidegate. */
export function limitsPathOf(settings: Settings): string {
  return settings.limits.path ?? join(packageRoot, 'examples', 'limits.yaml');
}

/** Where limits files are read from, by the settings. */
export function limitsSourceOf(path: string, settings: Settings): LimitsSource {
  const { extensions, recursive, prefix, ignoreDotFiles, maxFiles, maxFileBytes } = settings.limits;
  return { path, extensions, recursive, prefix, ignoreDotFiles, maxFiles, maxFileBytes };
}

/** Reads the limits files at a path; errors then show each by its whole path. Rejects with a TidegateError. */
export async function readLimitsAt(path: string, settings: Settings): Promise<readonly LimitsText[]> {
  return namedByPath(await readLimitsFiles(limitsSourceOf(path, settings)));
}

/** Names files by where they are, so that a mistake can be found. */
export function namedByPath(files: readonly LimitsFile[]): readonly LimitsText[] {
  return files.map((file) => ({ name: file.path, text: file.text }));
}

/** What rules go by where they say nothing themselves. */
export function ruleDefaultsOf(settings: Settings): RuleDefaults {
  return { algorithm: settings.algorithm, consistency: settings.consistency, onError: settings.onError };
}

const UNCOUNTED: RuleCounters = {
  totalHits: () => undefined,
  overLimit: () => undefined,
  nearLimit: () => undefined,
  withinLimit: () => undefined,
  shadowMode: () => undefined,
};

/** Compiles limits that nobody serves: to check or to explain them. */
export function compileFor(files: readonly LimitsText[], settings: Settings): CompileResult {
  return compileLimits(files, {
    defaults: ruleDefaultsOf(settings),
    mergeDomains: settings.limits.mergeDomains,
    lenient: settings.compat === 'reference',
    generation: 1,
    countersFor: () => UNCOUNTED,
  });
}
