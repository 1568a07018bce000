/**
 * One load report, as rows: a cluster's, and one for each endpoint. The report is read to its end before anything of it is
 * used, so that one that is malformed changes nothing.
 * Source: envoy/service/load_stats/v3/lrs.proto, envoy/config/endpoint/v3/load_report.proto.
 */
import { ByteCursor, doubleTag, lenTag, varintTag } from './byte-cursor';
import { hostText } from './series-key';

/** Requests of one interval; a cluster's where `host` is empty. */
export interface LoadRow {
  cluster: string;
  host: string;
  issued: number;
  successful: number;
  errors: number;
  inProgress: number;
  dropped: number;
  /** By category. */
  readonly drops: Map<string, number>;
  /** What hosts told of themselves: the sum over so many answers. */
  readonly metrics: Map<string, MetricSum>;
}

/** Values of one metric. */
export interface MetricSum {
  answers: number;
  total: number;
}

/** A report. */
export interface LoadReport {
  readonly rows: readonly LoadRow[];
  /** Rows over the bound, which were not looked at. */
  readonly over: number;
}

/** Metrics, and categories of drops, of a row. */
const MAX_NAMES = 32;
const MAX_NAME_BYTES = 256;

/** Reads a LoadStatsRequest. Throws `TG_MESH_BAD_REQUEST`. @param maxRows Clusters and endpoints at most. */
export function readLoadReport(bytes: Uint8Array, maxRows: number): LoadReport {
  return new ReportReader(bytes, maxRows).read();
}

/** The fields of a row in UpstreamLocalityStats and in UpstreamEndpointStats, which number them differently. */
interface RowFields {
  readonly issued: number;
  readonly endpoints: boolean;
}

const LOCALITY: RowFields = { issued: varintTag(8), endpoints: true };
const ENDPOINT: RowFields = { issued: varintTag(7), endpoints: false };

const CLUSTER_STATS = lenTag(2);
const CLUSTER_NAME = lenTag(1);
const LOCALITIES = lenTag(2);
const DROPPED = varintTag(3);
const DROPS = lenTag(5);
const DROP_CATEGORY = lenTag(1);
const DROP_COUNT = varintTag(2);
const SUCCESSFUL = varintTag(2);
const IN_PROGRESS = varintTag(3);
const ERRORS = varintTag(4);
const METRICS = lenTag(5);
const ENDPOINTS = lenTag(7);
const ENDPOINT_ADDRESS = lenTag(1);
const METRIC_NAME = lenTag(1);
const METRIC_ANSWERS = varintTag(2);
const METRIC_TOTAL = doubleTag(3);
const UNNAMED_ANSWERS = varintTag(1);
const UNNAMED_TOTAL = doubleTag(2);
/** Metrics of a locality that have a field of their own. */
const UNNAMED: ReadonlyMap<number, string> = new Map([
  [lenTag(12), 'cpu_utilization'],
  [lenTag(13), 'mem_utilization'],
  [lenTag(14), 'application_utilization'],
]);
const SOCKET_ADDRESS = lenTag(1);
const PIPE = lenTag(2);
const SOCKET_HOST = lenTag(2);
const SOCKET_PORT = varintTag(3);
const PIPE_PATH = lenTag(1);

class ReportReader {
  readonly #cursor = new ByteCursor();
  readonly #rows: LoadRow[] = [];
  readonly #maxRows: number;
  #over = 0;

  constructor(bytes: Uint8Array, maxRows: number) {
    this.#cursor.open(bytes);
    this.#maxRows = maxRows;
  }

  read(): LoadReport {
    const cursor = this.#cursor;
    this.#fields((tag) => {
      if (tag !== CLUSTER_STATS) cursor.skip(tag);
      else if (this.#rows.length >= this.#maxRows) {
        this.#over += 1;
        cursor.skip(tag);
      } else this.#within(() => this.#readCluster());
    });
    return { rows: this.#rows, over: this.#over };
  }

  #readCluster(): void {
    const cursor = this.#cursor;
    const first = this.#rows.length;
    const row = this.#newRow();
    let name = '';
    this.#fields((tag) => {
      if (tag === CLUSTER_NAME) name = this.#name();
      else if (tag === LOCALITIES) this.#within(() => this.#readRow(row, LOCALITY));
      else if (tag === DROPPED) row.dropped += cursor.uint64();
      else if (tag === DROPS) this.#within(() => this.#readDrops(row));
      else cursor.skip(tag);
    });
    for (let at = first; at < this.#rows.length; at += 1) this.#rows[at]!.cluster = name;
  }

  #readRow(row: LoadRow, fields: RowFields): void {
    const cursor = this.#cursor;
    this.#fields((tag) => {
      if (tag === fields.issued) row.issued += cursor.uint64();
      else if (tag === SUCCESSFUL) row.successful += cursor.uint64();
      else if (tag === IN_PROGRESS) row.inProgress += cursor.uint64();
      else if (tag === ERRORS) row.errors += cursor.uint64();
      else if (tag === METRICS) this.#within(() => this.#readMetric(row));
      else if (fields.endpoints) this.#readLocalityField(row, tag);
      else if (tag === ENDPOINT_ADDRESS) row.host = this.#within(() => this.#readAddress());
      else cursor.skip(tag);
    });
  }

  #readLocalityField(row: LoadRow, tag: number): void {
    const cursor = this.#cursor;
    const unnamed = UNNAMED.get(tag);
    if (unnamed !== undefined) {
      const { answers, total } = this.#within(() => this.#readSum(UNNAMED_ANSWERS, UNNAMED_TOTAL));
      addMetric(row, unnamed, answers, total);
    } else if (tag !== ENDPOINTS) cursor.skip(tag);
    else if (this.#rows.length >= this.#maxRows) {
      this.#over += 1;
      cursor.skip(tag);
    } else this.#within(() => this.#readRow(this.#newRow(), ENDPOINT));
  }

  #readDrops(row: LoadRow): void {
    const cursor = this.#cursor;
    let category = '';
    let count = 0;
    this.#fields((tag) => {
      if (tag === DROP_CATEGORY) category = this.#name();
      else if (tag === DROP_COUNT) count = cursor.uint64();
      else cursor.skip(tag);
    });
    if (row.drops.has(category) || row.drops.size < MAX_NAMES)
      row.drops.set(category, (row.drops.get(category) ?? 0) + count);
  }

  #readMetric(row: LoadRow): void {
    let name = '';
    const { answers, total } = this.#readSum(METRIC_ANSWERS, METRIC_TOTAL, (tag) => {
      if (tag !== METRIC_NAME) return false;
      name = this.#name();
      return true;
    });
    addMetric(row, name, answers, total);
  }

  #readSum(answersTag: number, totalTag: number, other?: (tag: number) => boolean): MetricSum {
    const cursor = this.#cursor;
    const sum = { answers: 0, total: 0 };
    this.#fields((tag) => {
      if (tag === answersTag) sum.answers = cursor.uint64();
      else if (tag === totalTag) sum.total = cursor.double();
      else if (other?.(tag) !== true) cursor.skip(tag);
    });
    return sum;
  }

  #readAddress(): string {
    const cursor = this.#cursor;
    let host = '';
    let port = -1;
    this.#fields((tag) => {
      if (tag === PIPE) {
        this.#within(() =>
          this.#fields((inner) => {
            if (inner === PIPE_PATH) host = this.#name();
            else cursor.skip(inner);
          }),
        );
      } else if (tag === SOCKET_ADDRESS) {
        port = 0;
        this.#within(() =>
          this.#fields((inner) => {
            if (inner === SOCKET_HOST) host = this.#name();
            else if (inner === SOCKET_PORT) port = cursor.varint32() & 0xffff;
            else cursor.skip(inner);
          }),
        );
      } else cursor.skip(tag);
    });
    return hostText(host, port);
  }

  #newRow(): LoadRow {
    const row: LoadRow = {
      cluster: '',
      host: '',
      issued: 0,
      successful: 0,
      errors: 0,
      inProgress: 0,
      dropped: 0,
      drops: new Map(),
      metrics: new Map(),
    };
    this.#rows.push(row);
    return row;
  }

  /** Text, of which the first bytes are kept. */
  #name(): string {
    const cursor = this.#cursor;
    const length = cursor.length();
    const text = cursor.text(cursor.at, Math.min(length, MAX_NAME_BYTES));
    cursor.at += length;
    return text;
  }

  #fields(take: (tag: number) => void): void {
    const cursor = this.#cursor;
    while (cursor.at < cursor.end) take(cursor.tag());
  }

  #within<T>(act: () => T): T {
    const outer = this.#cursor.enter();
    const made = act();
    this.#cursor.leave(outer);
    return made;
  }
}

function addMetric(row: LoadRow, name: string, answers: number, total: number): void {
  if (!Number.isFinite(total)) return;
  const known = row.metrics.get(name);
  if (known !== undefined) {
    known.answers += answers;
    known.total += total;
  } else if (row.metrics.size < MAX_NAMES) row.metrics.set(name, { answers, total });
}
