import { Writable } from 'node:stream';
import fc from 'fast-check';
import { TidegateError } from '../../src/core/errors';
import { createFaultLog } from '../../src/telemetry/fault-log';
import { describeError, loggable, maskText } from '../../src/telemetry/log-fields';
import { createLogger, type LoggerOptions } from '../../src/telemetry/logger';

class Lines extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
  get objects(): Record<string, unknown>[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

function logging(options: Partial<LoggerOptions> = {}) {
  const lines = new Lines();
  return { lines, logger: createLogger({ level: 'info', format: 'json', destination: lines, ...options }) };
}

describe('the logger', () => {
  it('writes one JSON object a line with level, time, fields and message', () => {
    const { lines, logger } = logging({ base: { version: '1.2.3' } });
    logger.info({ port: 8081 }, 'ready');
    expect(lines.objects).toEqual([
      expect.objectContaining({ level: 'info', version: '1.2.3', port: 8081, msg: 'ready' }),
    ]);
    expect(lines.objects[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['silent', []],
  ] as const)('at %s writes %j', (level, written) => {
    const { lines, logger } = logging({ level });
    for (const each of ['debug', 'info', 'warn', 'error'] as const) logger[each]({}, 'hello');
    expect(lines.objects.map((line) => line['level'])).toEqual(written);
  });

  it('renders a coded error by code, place and remedy, and its cause', () => {
    const { lines, logger } = logging();
    const cause = new Error('ENOENT');
    const error = new TidegateError('TG_LIMITS_BAD_UNIT', 'the unit is "fortnight"', {
      at: { file: 'a.yaml', line: 3, column: 7, key: 'unit' },
      cause,
    });
    logger.error({ error }, 'limits rejected');
    expect(lines.objects[0]?.['error']).toEqual({
      code: 'TG_LIMITS_BAD_UNIT',
      message: 'the unit is "fortnight"',
      at: { file: 'a.yaml', line: 3, column: 7, key: 'unit' },
      remedy: expect.stringContaining('use second, minute') as unknown,
      cause: expect.objectContaining({ name: 'Error', message: 'ENOENT' }) as unknown,
    });
  });

  it('writes an error given as the fields under a name of its own', () => {
    const { lines, logger } = logging();
    logger.warn(new TidegateError('TG_NO_LIMITS', 'none'), 'refused');
    expect(lines.objects[0]).toMatchObject({
      msg: 'refused',
      error: { code: 'TG_NO_LIMITS', message: 'none' },
    });
  });

  it('keeps secrets out, by the name of a field and inside of texts', () => {
    const { lines, logger } = logging();
    logger.info(
      {
        store: { password: 'hunter2', urls: ['redis://user:hunter2@db:6379'], username: 'user' },
        headers: { Authorization: 'Bearer hunter2hunter2' },
        admin: { token: 'hunter2' },
        error: new Error('connect to rediss://:hunter2@db failed, Bearer hunter2hunter2'),
        pem: '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----',
      },
      'connecting to redis://u:hunter2@db',
    );
    expect(lines.text).not.toContain('hunter2');
    expect(lines.objects[0]).toMatchObject({
      store: { username: 'user', urls: ['redis://[redacted]@db:6379'] },
    });
  });

  it('writes text for people in the pretty form', () => {
    const { lines, logger } = logging({ format: 'pretty' });
    logger.warn({ port: 8081, password: 'hunter2' }, 'careful');
    expect(lines.text).toMatch(/WARN.*: careful \{"port":8081,"password":"\[redacted\]"\}\n$/);
  });

  it('bounds what one line can hold', () => {
    const { lines, logger } = logging();
    const circular: Record<string, unknown> = {
      many: Array.from({ length: 10_000 }, () => 'x'.repeat(10_000)),
    };
    circular['self'] = circular;
    logger.info(circular, 'y'.repeat(100_000));
    expect(lines.objects).toHaveLength(1);
    expect(lines.text.length).toBeLessThan(4_000_000);
  });

  it('never throws, whatever is logged', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true }),
        (value) => {
          const { lines, logger } = logging();
          logger.info({ value }, 'any');
          expect(lines.objects).toHaveLength(1);
        },
      ),
      { numRuns: 200 },
    );
    const hostile = new Proxy({}, { ownKeys: () => { throw new Error('no'); } }); // prettier-ignore
    expect(loggable({ hostile })).toEqual({ hostile: '[unreadable]' });
  });

  it('tells what else was thrown', () => {
    expect(describeError('plain')).toEqual({ message: 'plain' });
    expect(describeError(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))).toMatchObject({
      name: 'Error',
      code: 'ECONNREFUSED',
      stack: expect.stringContaining('refused') as unknown,
    });
    expect(maskText('nothing to hide: http://host/path?a=b@c')).toBe(
      'nothing to hide: http://host/path?a=b@c',
    );
  });
});

describe('the fault log', () => {
  it('holds repeats back and tells how many', () => {
    const { lines, logger } = logging();
    let nowMs = 0;
    const faults = createFaultLog(
      logger,
      { monotonicMs: () => nowMs },
      { burst: 2, intervalMs: 1_000, maxKeys: 10 },
    );
    const error = new TidegateError('TG_STORE_TIMEOUT', 'no answer in 10 ms');
    for (let i = 0; i < 10; i += 1) faults.report(error, 'store failed', { node: 'a' });
    nowMs = 1_000;
    faults.report(error, 'store failed');
    expect(lines.objects.map((line) => [line['level'], line['suppressed']])).toEqual([
      ['warn', undefined],
      ['warn', undefined],
      ['warn', 8],
    ]);
    for (let i = 0; i < 5; i += 1) faults.report(error, 'store failed');
    nowMs = 2_000;
    faults.flush();
    faults.flush();
    expect(lines.objects.slice(4)).toEqual([
      expect.objectContaining({ fault: 'TG_STORE_TIMEOUT store failed', suppressed: 4 }),
    ]);
  });

  it('logs what does not pass by itself as an error', () => {
    const { lines, logger } = logging();
    createFaultLog(logger, { monotonicMs: () => 0 }).report(
      new TidegateError('TG_TLS', 'bad key'),
      'kept the old',
    );
    expect(lines.objects[0]).toMatchObject({ level: 'error', error: { code: 'TG_TLS' } });
  });
});
