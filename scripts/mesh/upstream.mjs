// The demo upstream of the mesh: answers every request with 200, the name of who answers, and the path asked for.
// HOST (default 127.0.0.1) and PORT (default 8000) say where it listens, NAME what it calls itself.
import { createServer } from 'node:http';

const { HOST = '127.0.0.1', PORT = '8000', NAME = 'upstream' } = process.env;

const server = createServer((request, response) => {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`${NAME}: ${request.method} ${request.url}\n`);
});
server.listen(Number(PORT), HOST);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 2_000).unref();
  });
}
