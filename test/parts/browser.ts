/** A page in a real Chromium, driven over the DevTools protocol's pipe: no port, and no fixed waits. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { partPath } from './paths';
import { until } from './until';

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** An open page. */
export interface BrowserPage {
  /** What an expression is in the page; a promise is waited for. */
  readonly evaluate: (expression: string) => Promise<unknown>;
  /** Waits until an expression holds. */
  readonly until: (expression: string) => Promise<void>;
  /** What the console said, and what the page's policy refused. */
  readonly complaints: readonly unknown[];
  close(): Promise<void>;
}

/** Opens an address in a window of a width, CSS pixels. */
export async function openPage(url: string, width = 1_200): Promise<BrowserPage> {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-browser-'));
  const child = spawn(
    partPath('chromium'),
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-pipe',
      `--user-data-dir=${folder}`,
    ],
    { env: { HOME: folder }, stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const [, , , input, output] = child.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<number, (answer: Answer) => void>();
  const complaints: unknown[] = [];
  const take = (text: string): void => {
    const answer = JSON.parse(text) as Answer;
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
    if (/^(Log\.entryAdded|Runtime\.(exceptionThrown|consoleAPICalled))$/.test(answer.method ?? ''))
      complaints.push(answer.params);
  };
  let rest = '';
  output.setEncoding('utf8');
  output.on('data', (chunk: string) => {
    const texts = (rest + chunk).split('\0');
    rest = texts.pop() ?? '';
    for (const text of texts) take(text);
  });
  let id = 0;
  const attached: { sessionId?: string } = {};
  const call = (method: string, params: object): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      id += 1;
      waiting.set(id, ({ result, error }) =>
        result === undefined ? reject(new Error(`${method}: ${error?.message ?? ''}`)) : resolve(result),
      );
      input.write(`${JSON.stringify({ id, method, params, ...attached })}\0`);
    });
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result } = await call('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    return (result as { value?: unknown }).value;
  };

  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
  attached.sessionId = String(sessionId);
  const size = { width, height: 800, deviceScaleFactor: 1, mobile: false };
  for (const domain of ['Log', 'Runtime', 'Page']) await call(`${domain}.enable`, {});
  await call('Emulation.setDeviceMetricsOverride', size);
  await call('Page.navigate', { url });
  return {
    evaluate,
    until: async (expression) => {
      await until(expression, async () => (await evaluate(expression)) === true);
    },
    complaints,
    async close() {
      // Asked to close, so that its own children have ended, and write nothing, when it has.
      delete attached.sessionId;
      await call('Browser.close', {});
      await exited;
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
