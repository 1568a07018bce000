/** The data port against h2spec, the conformance suite of HTTP/2 and HPACK servers: every case passes. */
import type { BoundAddress, Server } from '../../src/core/ports';
import { createFastDataServer } from '../../src/transport';
import { startChild } from '../parts/child';
import { partPath } from '../parts/paths';

const SUITES = ['generic', 'http2', 'hpack'];
/** What the pinned version has. */
const CASES = 145;

describe('the data port', () => {
  let server: Server;
  let address: BoundAddress;

  beforeAll(async () => {
    server = createFastDataServer(
      { host: '127.0.0.1', port: 0, maxConcurrentStreams: 100 },
      new Map([['/t.Echo/Now', (message: Uint8Array) => message]]),
    );
    address = await server.listen();
  });
  afterAll(() => server.close(0));

  test.each([...SUITES, 'all of them'])('passes h2spec: %s', async (suite) => {
    const sections = suite === 'all of them' ? SUITES : [suite];
    const options = ['-h', '127.0.0.1', '-p', String(address.port), '-o', '5'];
    const child = startChild(partPath('h2spec'), [...options, ...sections]);
    const exit = await child.exited;
    const output = child.output();
    const summary = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(output);
    const [tests, passed, skipped, failed] = (summary ?? []).slice(1).map(Number);
    if (exit !== 0 || failed !== 0) throw new Error(output);
    expect({ skipped, failed }).toEqual({ skipped: 0, failed: 0 });
    expect(passed).toBe(tests);
    if (suite === 'all of them') expect(tests).toBe(CASES);
  });
});
