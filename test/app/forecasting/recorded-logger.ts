/** A logger that keeps what it is told. */
import type { Logger } from '../../../src/core/ports';

export interface RecordedLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export function recordedLogger(): { logger: Logger; lines: RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      const plain = Object.entries(fields).map(([name, value]: [string, unknown]) => [
        name,
        value instanceof Error ? String(value) : value,
      ]);
      lines.push({ level, fields: Object.fromEntries(plain) as Record<string, unknown>, message });
    };
  return {
    logger: { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') },
    lines,
  };
}
