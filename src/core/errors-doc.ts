/** The text of docs/errors.md, made from the catalogue, so that the page and the codes cannot drift apart. */
import { CATALOGUE, type CatalogueEntry } from './error-catalogue';

const GRPC_STATUS_NAMES: Readonly<Record<number, string>> = {
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  16: 'UNAUTHENTICATED',
};

const SECTIONS: readonly (readonly [prefix: string, title: string])[] = [
  ['TG_REQUEST_', 'Requests'],
  ['TG_LIMITS_', 'Limits files'],
  ['TG_SETTINGS_', 'Settings'],
  ['TG_ADMIN_', 'The admin port'],
  ['TG_STORE_', 'Stores'],
];
const OTHERS = 'Everything else';

const INTRODUCTION = `# Errors

Every error has a code. Codes are stable, messages are for people and may change. An error in a file names the file,
line, column and key; each says what to do. This page is made from \`src/core/error-catalogue.ts\`; a test keeps it in step.

A gRPC caller gets the status in the last column; Envoy then does what its \`failure_mode_deny\` says. *Transient*: the
same call may succeed later unchanged.
`;

/** @returns Markdown: every code with its meaning, remedy, gRPC status and whether it is transient. */
export function renderErrorsDoc(): string {
  const groups = new Map<string, string[]>(
    [...SECTIONS.map(([, title]) => title), OTHERS].map((t) => [t, []]),
  );
  for (const [code, entry] of Object.entries(CATALOGUE)) {
    const title = SECTIONS.find(([prefix]) => code.startsWith(prefix))?.[1] ?? OTHERS;
    groups.get(title)?.push(row(code, entry));
  }
  const tables = [...groups]
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `\n## ${title}\n\n${HEAD}\n${rows.join('\n')}\n`);
  return INTRODUCTION + tables.join('');
}

const HEAD = '| code | meaning | what to do | transient | gRPC status |\n| --- | --- | --- | --- | --- |';

function row(code: string, entry: CatalogueEntry): string {
  const status = GRPC_STATUS_NAMES[entry.grpcStatus] ?? String(entry.grpcStatus);
  const cells = [`\`${code}\``, entry.meaning, entry.remedy, entry.transient ? 'yes' : 'no', status];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
