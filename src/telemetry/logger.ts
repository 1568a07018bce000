/** The process's logger: pino underneath, one line an event, secrets masked before anything is written. */
import pino from 'pino';
import { build as prettyStream } from 'pino-pretty';
import type { Logger } from '../core/ports';
import { loggable, maskText } from './log-fields';

/** From the most to the least talkative. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How to log. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** `json`: one object a line; `pretty`: for people at a terminal. */
  readonly format: 'json' | 'pretty';
  /** Where lines go; standard output when absent. */
  readonly destination?: NodeJS.WritableStream;
  /** Fields of every line, such as the version. */
  readonly base?: Readonly<Record<string, string | number>>;
}

type WrittenLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Creates a logger. Lines are written synchronously, so that none is lost when the process ends; nothing is built
 * for a level that is not written.
 */
export function createLogger(options: LoggerOptions): Logger {
  const sink = pino(
    {
      level: options.level,
      base: options.base ?? null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destinationOf(options),
  );
  const write = (level: WrittenLevel, fields: object, message: string): void => {
    if (!sink.isLevelEnabled(level)) return;
    const plain = loggable(fields);
    // An error logged as the fields themselves gets a name of its own, or its message would take the line's.
    const named = fields instanceof Error ? { error: plain } : plain;
    sink[level](typeof named === 'object' && named !== null ? named : { value: named }, maskText(message));
  };
  return {
    debug: (fields, message) => write('debug', fields, message),
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
  };
}

function destinationOf(options: LoggerOptions): pino.DestinationStream {
  const { destination } = options;
  if (options.format === 'json') return destination ?? pino.destination({ dest: 1, sync: true });
  return prettyStream({
    destination: destination ?? 1,
    sync: true,
    colorize: destination === undefined && process.stdout.isTTY,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
}
