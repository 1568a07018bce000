import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import { EventFeed, FEED_BOUNDS, type EventStream } from '../../src/admin/event-feed';
import { controlEvent, FakeEvents, HOSTILE } from './fake-control';
import { closeAll, serve } from './serving';

/** A response whose reader reads when it is told to. */
class FakeStream extends EventEmitter implements EventStream {
  text = '';
  writableLength = 0;
  ended = false;
  destroyed = false;
  reads = true;

  write(bytes: unknown): boolean {
    this.text += String(bytes);
    if (!this.reads) this.writableLength += String(bytes).length;
    return true;
  }
  end(bytes: unknown): void {
    this.write(bytes);
    this.ended = true;
    if (this.reads) this.emit('close');
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const open = (): void => undefined;
beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function feedOf(bounds: Partial<typeof FEED_BOUNDS> = {}, now = () => 0) {
  const source = new FakeEvents();
  const feed = new EventFeed(source, { ...FEED_BOUNDS, ...bounds }, now);
  const listen = (stream = new FakeStream()): FakeStream => {
    feed.admit(stream, open);
    return stream;
  };
  return { source, feed, listen };
}

describe('a feed of events', () => {
  it('numbers events and writes each on one line', () => {
    const { source, listen } = feedOf();
    const stream = listen();
    source.tell(controlEvent('mode', { said: 'a\nb\r\nc' }));
    source.tell(controlEvent('state'));
    const events = stream.text.split('\n\n').slice(1, -1);
    expect(events.map((event) => event.split('\n').map((line) => line.split(': ')[0]))).toEqual([
      ['id', 'event', 'data'],
      ['id', 'event', 'data'],
    ]);
    expect(events[0]).toMatch(/^id: 1\nevent: mode\ndata: /);
    expect(JSON.parse(events[0]?.split('data: ')[1] ?? '')).toEqual(
      controlEvent('mode', { said: 'a\nb\r\nc' }),
    );
    expect(events[1]).toMatch(/^id: 2\nevent: state\n/);
  });

  it('breaks silence', () => {
    const { listen } = feedOf();
    const stream = listen();
    jest.advanceTimersByTime(2 * FEED_BOUNDS.beatMs);
    expect(stream.text.match(/^: still here$/gm)).toHaveLength(2);
  });

  it('listens to its source only while somebody listens to it', () => {
    const { source, feed, listen } = feedOf();
    const [one, two] = [listen(), listen()];
    expect([source.listeners.size, feed.size]).toEqual([1, 2]);
    one.emit('close');
    two.emit('close');
    expect([source.listeners.size, feed.size, jest.getTimerCount()]).toEqual([0, 0, 0]);
    listen();
    expect(source.listeners.size).toBe(1);
  });

  it('takes no more than its bound', () => {
    const { feed, listen } = feedOf({ maxClients: 2 });
    const first = listen();
    listen();
    const opened = jest.fn();
    expect(() => feed.admit(new FakeStream(), opened)).toThrow(
      expect.objectContaining({ code: 'TG_ADMIN_TOO_MANY' }) as Error,
    );
    expect(opened).not.toHaveBeenCalled();
    first.emit('close');
    expect(() => listen()).not.toThrow();
  });

  it('lets a slow reader go, holds little for it, and nothing in the end; others go on', () => {
    const { source, feed, listen } = feedOf({ maxWaitingBytes: 1_000, maxPerS: 1e9 });
    const quick = listen();
    const slow = new FakeStream();
    slow.reads = false;
    listen(slow);
    for (let told = 0; told < 100; told += 1) source.tell(controlEvent('decision'));
    expect(slow.text).toMatch(/: too slow\n\n$/);
    expect(slow.writableLength).toBeLessThan(1_100);
    expect([slow.ended, slow.destroyed, feed.size]).toEqual([true, false, 2]);
    jest.advanceTimersByTime(FEED_BOUNDS.partingMs);
    expect([slow.destroyed, feed.size]).toEqual([true, 1]);
    expect(quick.text).toContain('id: 100\n');
  });

  it('leaves decisions out that come too thick, which the numbers show, and nothing else', () => {
    let nowMs = 0;
    const { source, listen } = feedOf({ maxPerS: 2 }, () => nowMs);
    const stream = listen();
    for (const kind of ['decision', 'loan', 'decision', 'mode'] as const) source.tell(controlEvent(kind));
    nowMs = 1_000;
    source.tell(controlEvent('decision'));
    expect([...stream.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))).toEqual([1, 2, 4, 5]);
  });

  it('sends an event that is too long without its data', () => {
    const { source, listen } = feedOf({ maxEventBytes: 200 });
    const stream = listen();
    source.tell(controlEvent('override', { text: 'x'.repeat(500) }));
    expect(stream.text).toContain(`data: ${JSON.stringify(controlEvent('override', {}))}\n\n`);
  });

  it('lets all go when it closes, and takes nobody after that', () => {
    const { source, feed, listen } = feedOf();
    const stream = listen();
    feed.close();
    expect(stream.text).toMatch(/: the server closes\n\n$/);
    expect([stream.ended, source.listeners.size]).toEqual([true, 0]);
    expect(() => listen()).toThrow(expect.objectContaining({ code: 'TG_ADMIN_TOO_MANY' }) as Error);
  });
});

describe('events over HTTP', () => {
  beforeEach(() => jest.useRealTimers());
  afterEach(() => closeAll());

  it('are a stream that nothing compresses or keeps, and that ends with the server', async () => {
    const events = new FakeEvents();
    const { ask, server } = await serve({ events });
    const answer = await ask('/api/v1/events', { headers: { 'accept-encoding': 'gzip, br' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    events.tell(controlEvent('decision', { key: HOSTILE }));
    const closing = server.close(5_000);
    const text = await answer.text();
    expect(text).toContain(
      `id: 1\nevent: decision\ndata: ${JSON.stringify(controlEvent('decision', { key: HOSTILE }))}\n\n`,
    );
    expect(text).toMatch(/: the server closes\n\n$/);
    await closing;
    expect(events.listeners.size).toBe(0);
  });

  it('stop for a listener that goes away', async () => {
    const events = new FakeEvents();
    const { port } = await serve({ events });
    const gone = new Promise<void>((resolve) => (events.onEmpty = resolve));
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n'),
    );
    await new Promise((resolve) => socket.once('data', resolve));
    expect(events.listeners.size).toBe(1);
    socket.destroy();
    await gone;
    expect(events.listeners.size).toBe(0);
  });

  it('hold little for a listener that never reads, and cut it off', async () => {
    const events = new FakeEvents();
    const { port } = await serve({ events });
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n'),
    );
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    const long = controlEvent('mode', { text: 'x'.repeat(16_000) });
    const before = process.memoryUsage().rss;
    // Far more than the sockets' own buffers hold; each turn lets the server write what it can.
    for (let told = 0; told < 20_000 && events.listeners.size > 0; told += 1) {
      events.tell(long);
      await new Promise(setImmediate);
    }
    expect(events.listeners.size).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
    socket.destroy();
  });

  it('answer no HEAD, which would never end', async () => {
    const { ask } = await serve({ events: new FakeEvents() });
    expect((await ask('/api/v1/events', { method: 'HEAD' })).status).toBe(404);
  });
});
