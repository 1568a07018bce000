/**
 * Every error code, in one place. Codes are stable: programs may match on them; messages may change.
 * `docs/errors.md` is made from this file, and a test keeps the two in step.
 */

import {
  input,
  absent,
  excess,
  setup,
  outage,
  INTERNAL,
  PERMISSION_DENIED,
  UNAVAILABLE,
  UNAUTHENTICATED,
  type CatalogueEntry,
} from './error-kinds';
import { LEARN_ERRORS } from './learn-errors';
import { MESH_ERRORS } from './mesh-errors';

export type { CatalogueEntry };

const ENTRIES = {
  TG_INTERNAL: {
    meaning: 'A fault of Tidegate itself.',
    remedy: 'report it with the log line and its stack',
    transient: false,
    grpcStatus: INTERNAL,
  },

  // A caller's request.
  TG_REQUEST_MALFORMED: input(
    'The message is not the protobuf message the method takes.',
    'send a RateLimitRequest as envoy.service.ratelimit.v3 defines it',
  ),
  TG_REQUEST_TOO_LARGE: excess(
    'The message or a part of it is over a bound.',
    'send fewer or smaller descriptors, or raise the bound in the settings',
  ),
  TG_REQUEST_NO_DOMAIN: input('The request names no domain.', "set the filter's `domain`"),
  TG_REQUEST_NO_DESCRIPTORS: input('The request has no descriptors.', 'send at least one descriptor'),
  TG_REQUEST_EMPTY_KEY: input(
    'A descriptor has no entries, or an entry without a key.',
    'give every descriptor at least one entry, and every entry a key',
  ),
  TG_REQUEST_BAD_UTF8: input('A string of the request is not UTF-8.', 'send text in UTF-8'),
  TG_REQUEST_BAD_OVERRIDE: input(
    'The limit override of a descriptor has no usable unit.',
    "set the override's unit to SECOND, MINUTE, HOUR, DAY, WEEK, MONTH or YEAR",
  ),
  TG_REQUEST_BAD_JSON: input(
    'The body of /json is not the JSON form of a RateLimitRequest.',
    'send the proto3 JSON form, with known fields only',
  ),
  TG_NO_LIMITS: outage(
    'No limits are loaded yet.',
    'mend the limits files; see the error log and /api/v1/config',
  ),

  // Limits files.
  TG_LIMITS_UNREADABLE: setup(
    'A limits file or directory cannot be read.',
    'check the path and its permissions',
  ),
  TG_LIMITS_SYNTAX: setup('The file is not valid YAML.', 'mend the YAML at the place named'),
  TG_LIMITS_TOO_LARGE: setup(
    'The file, or what its aliases expand to, is over a bound.',
    'split the file, or write out fewer aliases',
  ),
  TG_LIMITS_TYPE: setup('A value has the wrong type.', 'write a value of the type named'),
  TG_LIMITS_UNKNOWN_KEY: setup('A key is not part of the dialect.', 'remove it or mend its spelling'),
  TG_LIMITS_DUPLICATE_KEY: setup('A mapping has the same key twice.', 'keep one of them'),
  TG_LIMITS_EMPTY_DOMAIN: setup('The file names no domain.', 'set `domain` at the top of the file'),
  TG_LIMITS_DUPLICATE_DOMAIN: setup(
    'Two files name the same domain.',
    'rename one, join them, or set limits.merge_domains',
  ),
  TG_LIMITS_EMPTY_KEY: setup('A descriptor has no key.', 'give every descriptor a `key`'),
  TG_LIMITS_DUPLICATE_DESCRIPTOR: setup(
    'Two descriptors of one level have the same key and value.',
    'join them into one',
  ),
  TG_LIMITS_BAD_UNIT: setup(
    "The unit is not one of the dialect's.",
    'use second, minute, hour, day, week, month or year, or `per` with a duration',
  ),
  TG_LIMITS_UNIT_WITH_UNLIMITED: setup(
    'An unlimited rule has a unit.',
    'remove the unit, or remove `unlimited`',
  ),
  TG_LIMITS_UNIT_AND_PER: setup('A rule has both `unit` and `per`.', 'keep one of them'),
  TG_LIMITS_BAD_DURATION: setup(
    'A duration cannot be read or is out of range.',
    'write a number and a unit, such as 500ms, 90s, 15m, 2h or 7d',
  ),
  TG_LIMITS_BAD_NUMBER: setup('A number is out of range.', 'write a whole number within the range named'),
  TG_LIMITS_BAD_CHOICE: setup('A value is not one of the choices.', 'use one of the choices named'),
  TG_LIMITS_EMPTY_REPLACES: setup('An entry of `replaces` has no name.', 'name the rule that it replaces'),
  TG_LIMITS_SELF_REPLACES: setup('A rule replaces itself.', 'name another rule'),
  TG_LIMITS_SHARE_THRESHOLD: setup(
    '`share_threshold` is set where there is no wildcard.',
    'use a value with a `*`, or remove share_threshold',
  ),
  TG_LIMITS_NEEDS_RATE_LIMIT: setup(
    'A key that only a rule can have is set where there is no rule.',
    'add `rate_limit`, or remove the key',
  ),
  TG_LIMITS_CONFLICT: setup(
    'Two keys of a rule cannot go together.',
    'change one of them as the message says',
  ),
  TG_LIMITS_METADATA: setup(
    'The metadata cannot be carried as a protobuf Struct.',
    'use strings, finite numbers, booleans, lists and mappings with string keys',
  ),

  // Settings.
  TG_SETTINGS_UNREADABLE: setup(
    'The settings file cannot be read.',
    'check the path given to --config and its permissions',
  ),
  TG_SETTINGS_SYNTAX: setup('The settings file is not valid YAML.', 'mend the YAML at the place named'),
  TG_SETTINGS_UNKNOWN_KEY: setup(
    'A setting does not exist.',
    'remove it or mend its spelling; docs/configuration.md lists them all',
  ),
  TG_SETTINGS_INVALID: setup(
    'A setting has a value that it cannot take.',
    'see docs/configuration.md for what it takes',
  ),
  TG_SETTINGS_CONFLICT: setup('Two settings cannot go together.', 'change one of them as the message says'),
  TG_USAGE: setup('The command line cannot be understood.', 'see tidegate help'),

  // Ports and certificates.
  TG_LISTEN: setup('An address cannot be bound.', 'choose a free port, or stop what listens there'),
  TG_TLS: setup(
    'A certificate, key or CA cannot be used.',
    'check the files and that the key belongs to the certificate',
  ),
  TG_TLS_CLIENT: {
    meaning: 'A client was turned away in the TLS handshake, or for the names of its certificate.',
    remedy:
      'give the client a certificate of the CA in client_ca, with a name of client_san, and HTTP/2 by ALPN',
    transient: false,
    grpcStatus: UNAUTHENTICATED,
  },
  TG_HEALTH_UNKNOWN_SERVICE: absent(
    'A health check asked about a service that is not served here.',
    'leave the service empty, or name ratelimit or envoy.service.ratelimit.v3.RateLimitService',
  ),

  // The admin port.
  TG_ADMIN_NOT_FOUND: absent(
    'The admin port has no such page or call.',
    'see /api/v1/openapi.json, and docs/operations.md for the pages',
  ),
  TG_ADMIN_BAD_REQUEST: input(
    'The HTTP request or its query cannot be understood.',
    'mend the part of the request that the message names',
  ),
  TG_ADMIN_NO_TOKEN: {
    meaning: 'Nothing can be changed over the API, for no token is set.',
    remedy:
      'set admin.token and send it as `Authorization: Bearer <token>`, or demand client certificates with admin.tls.client_ca',
    transient: false,
    grpcStatus: PERMISSION_DENIED,
  },
  TG_ADMIN_UNAUTHORIZED: {
    meaning: 'The token is missing or wrong.',
    remedy: 'send the value of admin.token as `Authorization: Bearer <token>`',
    transient: false,
    grpcStatus: UNAUTHENTICATED,
  },
  TG_ADMIN_TOO_MANY: outage(
    'As many clients listen to events as can.',
    'close some, or ask /api/v1/decisions and /api/v1/loans now and then',
  ),
  TG_ADMIN_CROSS_SITE: {
    meaning: "A browser sent the request from another site's page.",
    remedy: 'send it from a program, or from a page of this address opened by IP address or as localhost',
    transient: false,
    grpcStatus: PERMISSION_DENIED,
  },

  // Stores.
  TG_STORE_TIMEOUT: outage(
    'The store did not answer within the deadline.',
    'check the load of Redis and the network, or raise store.deadline',
  ),
  TG_STORE_UNAVAILABLE: outage(
    'The store cannot be reached.',
    'check that Redis runs at store.urls and can be reached',
  ),
  TG_STORE_BREAKER_OPEN: outage(
    'The store failed too often and is left alone for a moment.',
    'see the failures logged before this',
  ),
  TG_STORE_NOT_REPLICATED: outage(
    'Redis took tokens, but too few of its replicas confirmed that in time.',
    "check the replicas' lag, raise store.wait.timeout, or ask for fewer in store.wait.replicas",
  ),
  TG_STORE_REPLY: outage(
    'The store answered with an error or something unexpected.',
    'see the cause; check the version, memory and permissions of Redis',
  ),
  TG_STORE_AUTH: setup(
    'The store refused the user or password.',
    'check store.username, store.password and the ACL',
  ),

  // Other systems that figures are read from or written to: Prometheus, InfluxDB, OTLP, webhooks.
  TG_SOURCE_UNAVAILABLE: outage(
    'Another system cannot be reached.',
    'check that it runs at the URL in the settings and can be reached',
  ),
  TG_SOURCE_TIMEOUT: outage(
    'Another system did not answer in time.',
    'check its load, ask for less, or raise the time limit',
  ),
  TG_SOURCE_TOO_LARGE: setup(
    'Another system answers with more than is read.',
    'ask for less: fewer series, or a shorter range',
  ),
  TG_SOURCE_REPLY: outage(
    'Another system answered with an error or something unexpected.',
    'see the message; check that the URL is that of the system meant',
  ),
  TG_SOURCE_AUTH: setup(
    'Another system refused the credentials.',
    'check the token, or the user and password, in the settings',
  ),
  TG_SOURCE_QUERY: input('A query is refused by the system asked.', 'mend the query as the message says'),

  // Control of pools.
  TG_CONTROL_OFF: setup('No pool is configured.', 'set `pools.list` and `pools.members`'),
  TG_CONTROL_UNKNOWN_POOL: absent('There is no such pool.', 'see /api/v1/pools for those there are'),
  TG_CONTROL_UNKNOWN_MEMBER: absent(
    'The pool has no such member.',
    'see /api/v1/buckets for those there are',
  ),
  TG_CONTROL_BAD_OVERRIDE: input(
    'An override that cannot be: a figure out of its bounds, or a part that is missing.',
    'give author, reason, ttl and at least one of ratePerS, capacity, lending, priority, within the hard bounds',
  ),
  TG_CONTROL_BAD_TRANSFER: setup(
    'Tokens cannot be moved: a figure out of range, or a bucket that is no token bucket.',
    'lend between members whose rules have `algorithm: token_bucket`, or set `lends: false`',
  ),
  TG_CONTROL_UNAVAILABLE: outage(
    'Control cannot be asked, or the store did not keep what was ordered.',
    'try again; see the log for what is wrong',
  ),

  // Series, history and forecasts.
  TG_HISTORY_UNAVAILABLE: outage(
    'The history file cannot be opened, read or written; history goes on in memory.',
    'check the path in history.path, its permissions, and the space on its disk',
  ),
  TG_HISTORY_FULL: outage(
    'There is no room for the history file; history goes on in memory.',
    'make room on its disk, or keep less: see history.retention',
  ),
  TG_HISTORY_IN_USE: outage(
    'Another program has the history file open; history goes on in memory.',
    'give each Tidegate a history.path of its own, or stop the other one',
  ),
  TG_HISTORY_CORRUPT: setup(
    'The history file is damaged or no history file; it was moved aside, and a new one begun.',
    'nothing, or look into the file that was moved aside; check the disk',
  ),
  TG_HISTORY_VERSION: setup(
    'The history file is of a later version; history goes on in memory.',
    'use the later version of Tidegate, or give this one another history.path',
  ),
  TG_SERIES_BAD_FILE: setup(
    'A file of a series cannot be read as rows of timestamp and value.',
    'write a header `timestamp,value` and one row a step, evenly spaced',
  ),
  TG_FORECAST_TOO_SHORT: setup(
    'The series is too short for the model.',
    'give it more values, or choose a model that needs fewer',
  ),
  TG_FORECAST_UNKNOWN_MODEL: setup('There is no model of that name.', 'choose one of the models named'),
  TG_BACKTEST_BAD_PLAN: setup(
    'The series is too short for the backtest that is asked for.',
    'ask for fewer or earlier origins, shorter horizons or less training, or give it a longer series',
  ),
  TG_SCENARIO_INVALID: setup(
    'A scenario to be simulated cannot be read, or cannot be.',
    'see docs/simulator.md for what a scenario names',
  ),
  TG_OUTPUT_UNWRITABLE: setup(
    'A file that a command was told to write cannot be written.',
    'give a path in a folder that is there and can be written to',
  ),
  TG_FORECAST_NO_FIT: setup('The model finds no fit to the series.', 'choose another model; see the cause'),
  TG_FORECAST_UNKNOWN_CLASS: absent(
    'There is no such class, or it has not been seen yet.',
    'see /api/v1/classes for those there are',
  ),
  TG_FORECAST_OFF: setup(
    'Nothing is kept or forecast, for forecast.enabled is false.',
    'set forecast.enabled to true',
  ),
  TG_FORECAST_FOLLOWER: {
    meaning: 'Another member of the group forecasts, and only it can do this.',
    remedy: 'ask the leader; /api/v1/forecasting names it',
    transient: true,
    grpcStatus: UNAVAILABLE,
  },
  TG_FORECAST_UNAVAILABLE: outage(
    'The thread that keeps history and forecasts cannot be asked.',
    'ask again; decisions go on without it, and it is begun anew when it has died: see the log',
  ),
  TG_WEBHOOK_FAILED: outage(
    'The receiver of an alert could not be told of it.',
    "check the alert's webhook; the alert itself is in the metrics and at /api/v1/alerts",
  ),
  TG_FORECAST_BAD_STATE: setup(
    'A saved model cannot be read.',
    'nothing: the model is fitted anew; the file may come from another version',
  ),

  // The mesh.
  ...LEARN_ERRORS,
  ...MESH_ERRORS,
} satisfies Record<string, CatalogueEntry>;

/** A stable error code. */
export type ErrorCode = keyof typeof ENTRIES;

/** Every code with its meaning, remedy, transience and gRPC status. */
export const CATALOGUE: Readonly<Record<ErrorCode, CatalogueEntry>> = ENTRIES;
