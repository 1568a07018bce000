/** Tidegate as users run it: `node dist/main.js serve` in a process of its own, on ports that the kernel chooses. */
import { existsSync } from 'node:fs';
import { startChild, type Child } from './child';
import { repositoryPath } from './paths';

/** A Tidegate that serves. The addresses are `host:port`. */
export interface TidegateProcess {
  readonly child: Child;
  readonly data: string;
  readonly admin: string;
  readonly control: string;
  /** The parsed log lines that are still kept, oldest first. */
  logs(): readonly LogLine[];
  stop(): Promise<void>;
}

/** A JSON log line. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

/** How a Tidegate is started. */
export interface TidegateOptions {
  /** The limits file or directory. */
  readonly limits: string;
  /** Settings by environment name; ports are 0, the store is memory and history is kept nowhere unless they say otherwise. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts Tidegate from `dist/` and waits for its `ready` line. Rejects with its output when there is none. */
export async function startTidegate(options: TidegateOptions): Promise<TidegateProcess> {
  const main = repositoryPath('dist', 'main.js');
  if (!existsSync(main)) throw new Error('dist/main.js is missing; run npm run build');
  const child = startChild(process.execPath, [main, 'serve', '--limits', options.limits], {
    env: {
      TIDEGATE_DATA_PORT: '0',
      TIDEGATE_ADMIN_PORT: '0',
      TIDEGATE_CONTROL_PORT: '0',
      TIDEGATE_HISTORY_PATH: 'none',
      ...options.env,
    },
  });
  try {
    const ready = await child.waitForLine('its ready line', (line) => {
      const fields = parseLogLine(line);
      return fields?.msg === 'ready' ? fields : undefined;
    });
    return {
      child,
      data: address(ready, 'data'),
      admin: address(ready, 'admin'),
      control: address(ready, 'control'),
      logs: () => child.output().split('\n').map(parseLogLine).filter(isDefined),
      stop: async () => {
        await child.stop();
      },
    };
  } catch (failure) {
    await child.stop();
    throw failure;
  }
}

function parseLogLine(line: string): LogLine | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? (parsed as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function address(ready: LogLine, field: string): string {
  const value = ready[field];
  if (typeof value !== 'string')
    throw new Error(`the ready line has no ${field} address: ${JSON.stringify(ready)}`);
  return value;
}
