/**
 * What a setting is made of: one schema with its documentation beside it, so that the parser, the environment names
 * and docs/configuration.md cannot drift apart.
 */
import { z } from 'zod';
import { parseDurationUs } from '../core/duration';

/** How a setting is written as text in the environment and in flags. */
export type SettingKind = 'text' | 'number' | 'switch' | 'choice' | 'duration' | 'list' | 'rows';

/** What is known of a setting beside its schema. */
export interface SettingMeta {
  readonly kind: SettingKind;
  /** One line for the documentation. */
  readonly doc: string;
  /** What it takes, in words that complete "takes ...". */
  readonly takes: string;
  /** The default in the form of the settings file; undefined when there is none. */
  readonly fallback: RawValue | undefined;
  /** A password or token: never shown. */
  readonly secret: boolean;
  /** Added to the message when the value is refused. */
  readonly hint?: string;
  /** The settings of each row, by key, where the setting is a list of rows. */
  readonly row?: Readonly<Record<string, z.ZodType>>;
}

/** A value as the settings file holds it, before it is checked. */
export type RawValue = string | number | boolean | readonly string[] | readonly RawRow[];

/** A row as the settings file holds it. */
export interface RawRow {
  readonly [key: string]: RawValue | null;
}

/** A length of time, in milliseconds; its key in the typed settings ends in `Ms`. */
export type Milliseconds = number & { readonly __unit: 'ms' };

const settingMetas = new WeakMap<z.ZodType, SettingMeta>();
/** The metadata of a setting's schema. */
export function metaOf(schema: z.ZodType): SettingMeta | undefined {
  return settingMetas.get(schema);
}
/** The one-line introduction of every section, by its schema. */
export const sectionRegistry = z.registry<{ readonly doc: string }>();

/** What the constructors below take beside the kind's own bounds. */
interface About<D> {
  readonly doc: string;
  readonly fallback: D;
  readonly hint?: string;
}

function register<S extends z.ZodType>(
  schema: S,
  meta: Omit<SettingMeta, 'secret'> & { secret?: boolean },
): S {
  settingMetas.set(schema, { secret: false, ...meta });
  return schema;
}

/** Any text; `pattern` narrows it. */
export function text(about: About<string> & { pattern?: RegExp; takes?: string; secret?: boolean }) {
  const base = about.pattern === undefined ? z.string() : z.string().regex(about.pattern);
  return register(base.prefault(about.fallback), {
    kind: 'text',
    takes: about.takes ?? 'text',
    doc: about.doc,
    fallback: about.fallback,
    secret: about.secret ?? false,
  });
}

/** The path of a file; empty for none. */
export function file(doc: string) {
  return text({ doc, fallback: '', takes: "a file's path" });
}

/** A password or token; empty for none. */
export function secret(doc: string) {
  return text({ doc, fallback: '', takes: 'text', secret: true });
}

/** Text that has no default. */
export function optionalText(about: { doc: string; takes: string }) {
  return register(z.string().min(1).optional(), { kind: 'text', fallback: undefined, ...about });
}

/** A whole number within bounds; `unit` names what it counts. */
export function whole(about: About<number> & { min: number; max: number; unit?: string }) {
  const unit = about.unit === undefined ? '' : ` of ${about.unit}`;
  return register(z.number().int().min(about.min).max(about.max).prefault(about.fallback), {
    kind: 'number',
    takes: `a whole number${unit}, ${about.min} to ${about.max}`,
    doc: about.doc,
    fallback: about.fallback,
  });
}

/** A whole number within bounds, or a word; the word is 0 in the typed settings. */
export function wholeOr(word: string, about: About<number> & { min: number; max: number }) {
  const schema = z
    .union([z.number(), z.string()])
    .transform((value, context): number => {
      if (value === word) return 0;
      const figure = typeof value === 'number' || /^\d{1,9}$/.test(value) ? Number(value) : NaN;
      if (Number.isInteger(figure) && figure >= about.min && figure <= about.max) return figure;
      context.addIssue({ code: 'custom', message: 'neither the word nor a whole number within bounds' });
      return z.NEVER;
    })
    .prefault(about.fallback);
  return register(schema, {
    kind: 'text',
    takes: `a whole number, ${about.min} to ${about.max}, or ${word}`,
    doc: about.doc,
    fallback: about.fallback,
  });
}

/** A number from 0 to 1. */
export function ratio(about: About<number>) {
  return register(z.number().min(0).max(1).prefault(about.fallback), {
    kind: 'number',
    takes: 'a number, 0 to 1',
    ...about,
  });
}

/** A number within bounds; `unit` names what it counts. */
export function number(about: About<number> & { min: number; max: number; unit?: string }) {
  const unit = about.unit === undefined ? '' : ` of ${about.unit}`;
  return register(z.number().min(about.min).max(about.max).prefault(about.fallback), {
    kind: 'number',
    takes: `a number${unit}, ${about.min} to ${about.max}`,
    doc: about.doc,
    fallback: about.fallback,
  });
}

/** On or off. */
export function toggle(about: About<boolean>) {
  return register(z.boolean().prefault(about.fallback), {
    kind: 'switch',
    takes: 'true or false',
    ...about,
  });
}

/** One of a few words. */
export function choice<const V extends readonly [string, ...string[]]>(values: V, about: About<V[number]>) {
  return register(z.enum(values).prefault(about.fallback), {
    kind: 'choice',
    takes: values.length === 1 ? `only ${values[0]}` : `one of ${values.join(', ')}`,
    ...about,
  });
}

/** A length of time such as 10ms or 24h, at most `max`; milliseconds in the typed settings. */
export function duration(about: About<string> & { min?: string; max: string }) {
  const minUs = parseDurationUs(about.min ?? '0') ?? 0;
  const maxUs = parseDurationUs(about.max) ?? 0;
  const schema = z
    .union([z.string(), z.literal(0)])
    .transform((value, context): Milliseconds => {
      const us = parseDurationUs(String(value));
      if (us === undefined || us < minUs || us > maxUs) {
        context.addIssue({ code: 'custom', message: 'not a duration within its bounds' });
        return z.NEVER;
      }
      return (us / 1_000) as Milliseconds;
    })
    .prefault(about.fallback);
  return register(schema, {
    kind: 'duration',
    takes: `a duration such as 500ms, 90s or 2h, ${about.min ?? '0'} to ${about.max}`,
    doc: about.doc,
    fallback: about.fallback,
  });
}

/** A list of texts; in the environment and in flags they are joined by commas. */
export function list(about: About<readonly string[]> & { takes: string; pattern?: RegExp; max: number }) {
  const item = about.pattern === undefined ? z.string().min(1) : z.string().regex(about.pattern);
  const schema = z
    .array(item)
    .max(about.max)
    .prefault([...about.fallback]);
  return register(schema, {
    kind: 'list',
    takes: about.takes,
    doc: about.doc,
    fallback: about.fallback,
  });
}

/** A list of rows, each a mapping of settings; in the environment and in flags it is JSON. */
export function rows<const T extends Readonly<Record<string, z.ZodType>>>(
  about: { doc: string; takes: string; max: number },
  row: T,
) {
  const schema = z.array(z.strictObject(row)).max(about.max).prefault([]);
  return register(schema, { kind: 'rows', takes: about.takes, doc: about.doc, fallback: [], row });
}

/** A group of settings; unknown keys are refused, and all of it may be left out. */
export function section<T extends z.core.$ZodLooseShape>(doc: string, shape: T) {
  const schema = z.strictObject(shape);
  sectionRegistry.add(schema, { doc });
  return schema;
}
