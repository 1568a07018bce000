/**
 * HPACK (RFC 7541) for one connection of the load client: reads a response's header block for its `grpc-status`, and
 * writes the request's block. Reading keeps the dynamic table exactly, since a server may index any header.
 */

const STATIC_NAMES = (
  ':authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status ' +
  'accept-charset accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow ' +
  'authorization cache-control content-disposition content-encoding content-language content-length ' +
  'content-location content-range content-type cookie date etag expect expires from host if-match ' +
  'if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards ' +
  'proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie ' +
  'strict-transport-security transfer-encoding user-agent vary via www-authenticate'
).split(' ');
const STATIC_VALUES = new Map([
  [8, '200'],
  [9, '204'],
  [10, '206'],
  [11, '304'],
  [12, '400'],
  [13, '404'],
  [14, '500'],
]);
const STATIC_COUNT = 61;
const ENTRY_OVERHEAD_BYTES = 32;
const TABLE_BYTES = 4096;

/**
 * Bits of the Huffman code of each octet (RFC 7541, appendix B), 16 octets a word in base 36. The code is canonical, so
 * the lengths alone give it.
 */
const CODE_BITS = Array.from(
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
    'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
    'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
    'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq',
  (digit) => Number.parseInt(digit, 36),
);

/** The code as a tree: a node is [left, right], a leaf the octet. */
const CODE_TREE = buildTree();

function buildTree() {
  const octets = CODE_BITS.map((bits, octet) => ({ bits, octet })).sort(
    (a, b) => a.bits - b.bits || a.octet - b.octet,
  );
  const root = [];
  let code = 0;
  let width = octets[0].bits;
  for (const { bits, octet } of octets) {
    code *= 2 ** (bits - width);
    width = bits;
    let node = root;
    for (let bit = bits - 1; bit > 0; bit -= 1) node = node[(code >>> bit) & 1] ??= [];
    node[code & 1] = octet;
    code += 1;
  }
  return root;
}

function decodeHuffman(bytes, start, end) {
  let text = '';
  let node = CODE_TREE;
  for (let at = start; at < end; at += 1) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const next = node[(bytes[at] >>> bit) & 1];
      if (next === undefined) return text;
      if (typeof next === 'number') {
        text += String.fromCharCode(next);
        node = CODE_TREE;
      } else node = next;
    }
  }
  return text;
}

/** Reads the header blocks of one connection, in the order they arrive. */
export class HeaderReader {
  #entries = [];
  #tableBytes = 0;
  #tableLimitBytes = TABLE_BYTES;
  #bytes = Buffer.alloc(0);
  #at = 0;

  /**
   * @param {Buffer} bytes
   * @param {number} start
   * @param {number} end
   * @returns {{ httpStatus: string | undefined, grpcStatus: string | undefined }} what the block says; throws when it is not HPACK
   */
  read(bytes, start, end) {
    this.#bytes = bytes;
    this.#at = start;
    const found = { httpStatus: undefined, grpcStatus: undefined };
    while (this.#at < end) {
      const first = bytes[this.#at];
      if ((first & 0xe0) === 0x20) {
        this.#tableLimitBytes = this.#integer(5);
        this.#evict();
        continue;
      }
      const entry = first >= 0x80 ? this.#lookup(this.#integer(7)) : this.#literal(first);
      if (entry.name === 'grpc-status') found.grpcStatus = entry.value;
      else if (entry.name === ':status') found.httpStatus = entry.value;
    }
    if (this.#at !== end) throw new Error('a header block ends within a header');
    return found;
  }

  #literal(first) {
    const indexed = first >= 0x40;
    const nameIndex = this.#integer(indexed ? 6 : 4);
    const name = nameIndex === 0 ? this.#string() : this.#lookup(nameIndex).name;
    const entry = { name, value: this.#string() };
    if (indexed) {
      this.#entries.unshift(entry);
      this.#tableBytes += sizeOf(entry);
      this.#evict();
    }
    return entry;
  }

  #lookup(index) {
    if (index >= 1 && index <= STATIC_COUNT) {
      return { name: STATIC_NAMES[index - 1], value: STATIC_VALUES.get(index) ?? '' };
    }
    const entry = this.#entries[index - STATIC_COUNT - 1];
    if (entry === undefined)
      throw new Error(`a header block refers to entry ${index}, which the table lacks`);
    return entry;
  }

  #evict() {
    while (this.#tableBytes > this.#tableLimitBytes) this.#tableBytes -= sizeOf(this.#entries.pop());
  }

  #integer(prefixBits) {
    const mask = (1 << prefixBits) - 1;
    let value = this.#bytes[this.#at++] & mask;
    if (value < mask) return value;
    for (let scale = 1; ; scale *= 128) {
      const octet = this.#bytes[this.#at++];
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
      if (scale > 2 ** 28 || octet === undefined) throw new Error('a header block has an endless integer');
    }
  }

  #string() {
    const huffman = this.#bytes[this.#at] >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    this.#at += length;
    return huffman ? decodeHuffman(this.#bytes, start, this.#at) : this.#bytes.latin1Slice(start, this.#at);
  }
}

function sizeOf(entry) {
  return entry.name.length + entry.value.length + ENTRY_OVERHEAD_BYTES;
}

/**
 * The header block of a gRPC call, every header written out.
 * @param {string} path
 * @param {string} authority
 * @param {boolean} keep whether the server may keep the headers in its table; later blocks then are {@link KEPT_BLOCK}
 * @returns {Buffer}
 */
export function requestBlock(path, authority, keep) {
  const literal = keep ? 0x40 : 0x00;
  const named = (index, value) => [...prefixed(literal, keep ? 6 : 4, index), ...plainString(value)];
  const fresh = (name, value) => [literal, ...plainString(name), ...plainString(value)];
  return Buffer.from([
    0x83, // :method POST
    0x86, // :scheme http
    ...named(1, authority),
    ...named(4, path),
    ...named(31, 'application/grpc'),
    ...fresh('te', 'trailers'),
  ]);
}

/** The block of every later call: six indices, the last four the newest entries of the server's table. */
export const KEPT_BLOCK = Buffer.from([0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe]);

function plainString(text) {
  return [...prefixed(0, 7, text.length), ...Buffer.from(text, 'latin1')];
}

function prefixed(pattern, prefixBits, value) {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return [pattern | value];
  return [pattern | mask, value - mask];
}
