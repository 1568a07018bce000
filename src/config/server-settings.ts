/** The settings of the three ports. */
import { choice, duration, list, section, text, whole, file, secret } from './setting';

const MIB = 1_048_576;
const PORT = { min: 0, max: 65_535 } as const;

const host = (fallback: string, what: string) =>
  text({
    doc: `The address that ${what} listens on.`,
    fallback,
    pattern: /^\S+$/,
    takes: 'a host or address',
  });
const port = (fallback: number, what: string) =>
  whole({ doc: `The port that ${what} listens on; 0 takes any free one.`, fallback, ...PORT });

const serverTls = (what: string) =>
  section(
    `TLS of ${what}; on when \`cert\` and \`key\` are set. The files are read again when they change.`,
    {
      cert: file("The server's certificate chain, PEM."),
      key: file("The certificate's private key, PEM."),
      client_ca: file('The CA that client certificates must come from, PEM; set it to demand one (mTLS).'),
      client_san: list({
        doc: 'Subject alternative names, one of which a client certificate must carry; empty takes any.',
        fallback: [],
        takes: 'a list of at most 64 names',
        max: 64,
      }),
    },
  ).prefault({});

/** `data` in the settings file. */
export const data = section('The data port: RateLimitService and gRPC Health, for Envoy.', {
  host: host('127.0.0.1', 'the data port'),
  port: port(8081, 'the data port'),
  transport: choice(['fast', 'grpc-js'], {
    doc: 'What speaks HTTP/2 on this port: our own server, or the grpc-js library, for those who may only run a widely vetted stack, at far more CPU a call.',
    fallback: 'fast',
  }),
  uds: text({ doc: 'A Unix socket to listen on instead of host and port.', fallback: '', takes: 'a path' }),
  max_connection_age: duration({
    doc: 'A connection is asked to close (GOAWAY) at this age, give or take 10 %; 0 never.',
    fallback: '24h',
    max: '3650d',
  }),
  max_connection_age_grace: duration({
    doc: 'How long calls may go on after that before the connection is cut.',
    fallback: '1h',
    max: '3650d',
  }),
  max_message_bytes: whole({
    doc: 'The longest request message that is read.',
    fallback: MIB,
    min: 1_024,
    max: 64 * MIB,
    unit: 'bytes',
  }),
  max_descriptors: whole({ doc: 'Descriptors a request may have.', fallback: 1_000, min: 1, max: 100_000 }),
  max_entries: whole({ doc: 'Entries a descriptor may have.', fallback: 64, min: 1, max: 1_024 }),
  plan_cache: whole({
    doc: 'Requests whose plan (rules and bucket keys) is kept by the bytes of their message, as far as they fit 1 KiB times as much; 0 plans each anew.',
    fallback: 65_536,
    min: 0,
    max: 1_000_000,
  }),
  max_concurrent_streams: whole({
    doc: 'Calls in flight that one connection may have.',
    fallback: 1_000,
    min: 1,
    max: 1_000_000,
  }),
  tls: serverTls('the data port'),
});

/** `admin` in the settings file. */
export const admin = section('The admin port: /healthcheck, /json, /rlconfig, /metrics and /api/v1.', {
  host: host('127.0.0.1', 'the admin port'),
  port: port(8080, 'the admin port'),
  token: secret(
    'The bearer token that calls which change something must carry, or `sha256:` and the hex of its SHA-256; without one, only who has a client certificate (`tls.client_ca`) can change anything over the admin port.',
  ),
  max_body_bytes: whole({
    doc: 'The longest request body that is read.',
    fallback: MIB,
    min: 1_024,
    max: 64 * MIB,
    unit: 'bytes',
  }),
  tls: serverTls('the admin port'),
});

/** `control` in the settings file. */
export const control = section('The control port: gRPC reflection, and what Envoy asks of a control plane.', {
  host: host('127.0.0.1', 'the control port'),
  port: port(18_000, 'the control port'),
  tls: serverTls('the control port'),
});
