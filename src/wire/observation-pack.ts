/**
 * Observation batches as bytes. A sender numbers its classes and says once what each number stands for; every now and then
 * a key batch says all of them again, so that a reader can begin there. Whoever reads is robust against batches that
 * come twice, are missing, or are no batches.
 */
import {
  COUNTS,
  RESOURCES,
  type ResourceName,
  type ClassInfo,
  type ClassKind,
  type HostSample,
  type ObservationBatch,
} from '../core/observation';
import { ByteReader, ByteWriter, malformed } from './packed-bytes';

const VERSION = 1;
const KEY_FLAG = 1;
const HOST_FLAG = 2;
const KINDS: readonly ClassKind[] = ['rule', 'key', 'service', 'tenant', 'signal'];
const KIND_PLACES = KINDS.length;
/** Beside the bits of a class's four texts. */
const COST_BIT = 16;
const HOST_FIGURES = [
  'cpu',
  'memory',
  'diskReadBytesPerS',
  'diskWriteBytesPerS',
  'networkReceivedBytesPerS',
  'networkSentBytesPerS',
  'eventLoopDelayMs',
] as const satisfies readonly (keyof HostSample)[];

/** Packs the batches of one sender, in the order of their sequence. */
export class BatchPacker {
  private readonly numbers = new Map<string, { readonly number: number; readonly info: ClassInfo }>();
  private next = 0;

  /** @param run tells this life of the sender from others: its sequences and numbers begin anew with it. */
  constructor(private readonly run: number) {}

  /** @param key whether to say all classes' numbers again. Rows of classes that were never added are left out. */
  pack(batch: ObservationBatch, key: boolean): Uint8Array {
    const fresh: ClassInfo[] = [];
    for (const info of batch.added) {
      if (this.numbers.has(info.id)) continue;
      this.numbers.set(info.id, { number: this.next, info });
      this.next += 1;
      fresh.push(info);
    }
    const out = new ByteWriter();
    out.whole(VERSION);
    out.whole((key ? KEY_FLAG : 0) + (batch.host === undefined ? 0 : HOST_FLAG));
    out.text(batch.source);
    for (const figure of [this.run, batch.sequence, batch.atMs, batch.stepMs]) out.number(figure);
    this.packInfos(out, key ? [...this.numbers.values()].map(({ info }) => info) : fresh);
    const ended = (batch.ended ?? [])
      .map((id) => this.numbers.get(id)?.number)
      .filter((one) => one !== undefined);
    out.whole(ended.length);
    for (const number of ended) out.whole(number);
    this.packRows(out, batch);
    if (batch.host !== undefined) for (const figure of HOST_FIGURES) out.double(batch.host[figure]);
    for (const id of batch.ended ?? []) this.numbers.delete(id);
    return out.finish();
  }

  private packInfos(out: ByteWriter, infos: readonly ClassInfo[]): void {
    out.whole(infos.length);
    for (const info of infos) {
      out.whole(this.numbers.get(info.id)?.number ?? 0);
      out.text(info.id);
      const parts = [info.parent, info.service, info.tenant, info.operation];
      const texts = parts.reduce((bits, part, place) => bits + (part === undefined ? 0 : 2 ** place), 0);
      const present = texts + (info.cost === undefined ? 0 : COST_BIT);
      out.whole(KINDS.indexOf(info.kind) + KIND_PLACES * present);
      for (const part of parts) if (part !== undefined) out.text(part);
      if (info.cost !== undefined) for (const name of RESOURCES) out.number(info.cost[name]);
    }
  }

  private packRows(out: ByteWriter, batch: ObservationBatch): void {
    const known = batch.classes.filter((id) => this.numbers.has(id)).length;
    out.whole(known);
    batch.classes.forEach((id, row) => {
      const numbered = this.numbers.get(id);
      if (numbered === undefined) return;
      out.whole(numbered.number);
      for (let column = 0; column < COUNTS.length; column += 1) {
        out.number(batch.counts[row * COUNTS.length + column] ?? 0);
      }
    });
  }
}

/** What became of a packed batch. */
export type Unpacked =
  | {
      readonly kind: 'batch';
      readonly batch: ObservationBatch;
      readonly missing: number;
      readonly unknownRows: number;
    }
  /** It was taken before. */
  | { readonly kind: 'doubled' }
  /** What its numbers stand for has not been said yet. */
  | { readonly kind: 'too-early' };

/** What is known of a sender's life. */
interface Sender {
  readonly infos: Map<number, ClassInfo>;
  highest: number;
}

/** A longer name of a class or a part of one is no name; it would be kept, stored and shown. */
const MAX_NAME_LENGTH = 16_384;
/** Senders that are remembered; the one longest silent is forgotten. */
const MAX_SENDERS = 1_024;

/** Reads the batches of many senders. */
export class BatchUnpacker {
  private readonly senders = new Map<string, Sender>();

  /** @throws TidegateError TG_STORE_REPLY for what is no batch. */
  unpack(bytes: Uint8Array): Unpacked {
    const from = new ByteReader(bytes);
    if (from.whole() !== VERSION) throw malformed('they are of another version');
    const flags = from.whole();
    const source = from.text();
    const [run, sequence, atMs, stepMs] = [from.number(), from.number(), from.number(), from.number()];
    if (!Number.isSafeInteger(sequence) || sequence < 1) throw malformed('their sequence is no number');
    if (!Number.isSafeInteger(atMs) || !(stepMs > 0)) throw malformed('their step is no time');
    const infos = readInfos(from);
    const ended = Array.from({ length: from.count(1) }, () => from.whole());
    const rows = readRows(from);
    const host = (flags & HOST_FLAG) === 0 ? undefined : readHost(from);
    if (from.left > 0) throw malformed('they go on after their end');

    const sender = this.senderOf(`${run}|${source}`);
    const isKey = (flags & KEY_FLAG) !== 0;
    if (sender.highest > 0 && sequence <= sender.highest) return { kind: 'doubled' };
    if (sender.highest === 0 && !isKey) return { kind: 'too-early' };
    const known = new Set([...(isKey ? sender.infos.values() : [])].map((info) => info.id));
    const added = infos.map(([, info]) => info).filter((info) => !known.has(info.id));
    if (isKey) sender.infos.clear();
    for (const [number, info] of infos) sender.infos.set(number, info);
    const missing = sender.highest === 0 ? 0 : sequence - sender.highest - 1;
    sender.highest = sequence;
    const named = rows.filter(({ number }) => sender.infos.has(number));
    const counts = new Float64Array(named.length * COUNTS.length);
    named.forEach(({ figures }, row) => counts.set(figures, row * COUNTS.length));
    const endedIds = ended.map((number) => sender.infos.get(number)?.id).filter((id) => id !== undefined);
    const batch: ObservationBatch = {
      source,
      sequence,
      atMs,
      stepMs,
      added,
      classes: named.map(({ number }) => sender.infos.get(number)?.id ?? ''),
      counts,
      ...(endedIds.length > 0 ? { ended: endedIds } : {}),
      ...(host === undefined ? {} : { host }),
    };
    for (const number of ended) sender.infos.delete(number);
    return { kind: 'batch', batch, missing, unknownRows: rows.length - named.length };
  }

  private senderOf(name: string): Sender {
    const known = this.senders.get(name);
    const sender = known ?? { infos: new Map<number, ClassInfo>(), highest: 0 };
    // The one heard of last stands last.
    this.senders.delete(name);
    this.senders.set(name, sender);
    if (this.senders.size > MAX_SENDERS) {
      for (const silent of this.senders.keys()) {
        this.senders.delete(silent);
        break;
      }
    }
    return sender;
  }
}

function readInfos(from: ByteReader): (readonly [number, ClassInfo])[] {
  return Array.from({ length: from.count(3) }, () => {
    const number = from.whole();
    const id = from.text();
    const packed = from.whole();
    const kind = KINDS[packed % KIND_PLACES];
    const present = Math.floor(packed / KIND_PLACES);
    if (kind === undefined || present >= 2 * COST_BIT) throw malformed('a class is of no kind');
    const part = (place: number): string | undefined =>
      (present & (1 << place)) === 0 ? undefined : from.text();
    const [parent, service, tenant, operation] = [part(0), part(1), part(2), part(3)];
    if ([id, parent, service, tenant, operation].some((name) => (name?.length ?? 0) > MAX_NAME_LENGTH))
      throw malformed('a name is too long');
    const cost = (present & COST_BIT) === 0 ? undefined : readCost(from);
    const info: ClassInfo = {
      id,
      kind,
      ...(parent === undefined ? {} : { parent }),
      ...(service === undefined ? {} : { service }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(operation === undefined ? {} : { operation }),
      ...(cost === undefined ? {} : { cost }),
    };
    return [number, info] as const;
  });
}

function readCost(from: ByteReader): Record<ResourceName, number> {
  const [cpu, memory, io, network] = [from.number(), from.number(), from.number(), from.number()];
  if (![cpu, memory, io, network].every((figure) => figure >= 0 && figure < Infinity))
    throw malformed('a cost is none');
  return { cpu, memory, io, network };
}

function readRows(from: ByteReader): { readonly number: number; readonly figures: readonly number[] }[] {
  return Array.from({ length: from.count(1 + COUNTS.length) }, () => ({
    number: from.whole(),
    figures: COUNTS.map(() => {
      const figure = from.number();
      if (!Number.isFinite(figure)) throw malformed('a count is not finite');
      return figure;
    }),
  }));
}

function readHost(from: ByteReader): HostSample {
  const sample: Record<string, number> = {};
  for (const figure of HOST_FIGURES) sample[figure] = from.double();
  return sample as unknown as HostSample;
}
