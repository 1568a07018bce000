/** Writes docs/configuration.md from the schema; a test keeps the committed file equal to it. */
import { CONFIG_ENV } from './environment';
import { REFERENCE_DEFAULTS } from './reference-defaults';
import { DIRECT_NAMES, JOINT_NAMES } from './reference-names';
import { UNSERVED_NAMES } from './reference-unserved';
import { metaOf, type RawValue, type SettingMeta } from './setting';
import { SECTIONS, type SettingLeaf, type SettingSection } from './setting-paths';

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/schema.ts by \`npm run docs\`; do not edit. -->

Every setting can be given in four ways. The first that gives it wins:

1. a flag: \`--data.port=9081\` (also \`--data.port 9081\`; a switch may stand alone, as in \`--shadow_mode\`);
2. the environment: \`TIDEGATE_DATA_PORT=9081\`, the setting's path in upper case with underscores;
3. the settings file, YAML, named by \`--config FILE\` or \`${CONFIG_ENV}\`;
4. its default.

\`--limits PATH\` is short for \`--limits.path=PATH\`. In flags and in the environment, the items of a list are joined by
commas; a list of rows is written as JSON. An empty environment variable counts as not set. The environment names of
the reference server, listed at the end, work too: Tidegate's own name and a flag win over them, and they win over the
file.

A key, a flag or a \`TIDEGATE_\` variable that is not listed here is an error. All mistakes are reported at once, each
with its place and what to do. Durations are numbers with a unit of \`us\`, \`ms\`, \`s\`, \`m\`, \`h\`, \`d\` or \`w\`, such as
\`500ms\` or \`1h30m\`. Secrets are never shown in logs, errors or dumps.
`;

const COMPAT = `## compat: reference

\`compat: reference\` changes defaults, and nothing else, to those of the reference server (envoyproxy/ratelimit); each of
them may still be set. It is on by itself where \`RUNTIME_ROOT\` is set, unless \`compat\` is given: \`TIDEGATE_COMPAT=off\` turns
it off. Any Redis named by a reference name makes the store a Redis store, with or without \`compat\`.
`;

const REFERENCE = `## The reference server's environment names

These work as they are. Booleans are what Go takes: \`1\`, \`t\`, \`T\`, \`TRUE\`, \`true\`, \`True\`, and the same for false.
`;

const UNSERVED = `These are known but change nothing. When one is set, a warning at start says so:
`;

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(header), `|${header.map(() => ' --- ').join('|')}|`, ...rows.map(line)].join('\n');
}

/** A value as the settings file writes it. */
function written(value: RawValue | undefined): string {
  if (value === undefined || value === '') return 'none';
  if (typeof value === 'object') return value.length === 0 ? 'none' : `\`[${value.map(String).join(', ')}]\``;
  return `\`${value}\``;
}

function takes(meta: SettingMeta): string {
  const words = meta.secret ? `${meta.takes} (secret)` : meta.takes;
  return meta.hint === undefined ? words : `${words}; ${meta.hint}`;
}

function sectionText({ path, doc, leaves }: SettingSection): string {
  const heading = path === '' ? '## Top level' : `## ${path}`;
  const rows = leaves.map((leaf) => [
    `\`${leaf.path}\``,
    `\`${leaf.envName}\``,
    takes(leaf.meta),
    written(leaf.meta.fallback),
    leaf.meta.doc,
  ]);
  const own = table(['setting', 'environment', 'takes', 'default', 'what it does'], rows);
  return [`${heading}\n\n${doc}\n\n${own}\n`, ...leaves.flatMap(rowsText)].join('\n');
}

/** What the rows of a list of rows are made of. */
function rowsText({ path, meta }: SettingLeaf): readonly string[] {
  if (meta.row === undefined) return [];
  const lines = Object.entries(meta.row).flatMap(([key, schema]) => {
    const about = metaOf(schema);
    if (about === undefined) return [];
    return [[`\`${key}\``, takes(about), written(about.fallback), about.doc]];
  });
  return [`Each row of \`${path}\`:\n\n${table(['key', 'takes', 'default', 'what it does'], lines)}\n`];
}

function compatText(): string {
  const rows = Object.entries(REFERENCE_DEFAULTS).map(([path, value]) => [`\`${path}\``, written(value)]);
  return `${COMPAT}\n${table(['setting', 'default under compat: reference'], rows)}\n`;
}

function referenceText(): string {
  const direct = Object.entries(DIRECT_NAMES).map(([name, { path }]) => [`\`${name}\``, `\`${path}\``]);
  const joint = Object.entries(JOINT_NAMES).map(([name, meaning]) => [`\`${name}\``, meaning]);
  const unserved = Object.entries(UNSERVED_NAMES).map(([name, instead]) => [`\`${name}\``, instead]);
  const served = table(['name', 'what it sets'], [...direct, ...joint]);
  return `${REFERENCE}\n${served}\n\n${UNSERVED}\n${table(['name', 'instead'], unserved)}\n`;
}

/** The text of docs/configuration.md. */
export function renderConfigurationDoc(): string {
  return [INTRODUCTION, ...SECTIONS.map(sectionText), compatText(), referenceText()].join('\n');
}
