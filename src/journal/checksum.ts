/**
 * A checksum that finds damage, for texts that are read at every start and written with every event: `node:crypto` takes
 * longer to load than many a command, and longer for each text. It keeps nobody from forging one.
 *
 * Two lanes take the text's UTF-8 in words of four bytes. Every step maps the state of its lane one to one, so texts
 * that differ within one word always differ in their sum; of other damage one in 2^64 is missed. The loop over the words
 * is a WebAssembly module of a hundred bytes: most processes run it too seldom for JavaScript to be compiled, which takes
 * twenty times as long. Where there is no WebAssembly the same loop is JavaScript.
 */

/** Of texts one behind the other: 16 hex digits, the same on machines of the same byte order. */
export function checksum(...texts: readonly string[]): string {
  lanes ??= compiledLanes() ?? plainLanes();
  const { bytes, sum } = lanes;
  let [one, two]: readonly [number, number] = [0x3c6ef372, 0x1f83d9ab];
  let length = 0;
  // Bytes in the memory that no lane has taken.
  let held = 0;
  for (const text of texts) {
    for (let from = 0; from < text.length;) {
      // A text goes in as a whole where there is room, which is left for three zeroes too.
      const rest = from === 0 ? text : text.slice(from);
      const { read, written } = encoder.encodeInto(rest, bytes.subarray(held, -3));
      from += read;
      held += written;
      length += written;
      if (from < text.length) {
        const whole = held & ~3;
        [one, two] = sum(whole, one, two);
        bytes.copyWithin(0, whole, held);
        held -= whole;
      }
    }
  }
  bytes.fill(0, held, held + 3);
  [one, two] = sum(held, one, two);
  return hex(one ^ length) + hex(two ^ length);
}

/** The loop, and the memory that it reads. */
export interface Lanes {
  readonly bytes: Uint8Array;
  /** Both lanes, further over so many bytes of it; up to three behind them are zeroes. */
  readonly sum: (length: number, one: number, two: number) => readonly [number, number];
}

/** The loop in JavaScript. */
export function plainLanes(): Lanes {
  const words = new Int32Array(memoryBytes / 4);
  return {
    bytes: new Uint8Array(words.buffer),
    sum: (length, one, two) => {
      const count = Math.ceil(length / 4);
      for (let index = 0; index < count; index += 1) {
        const word = words[index] ?? 0;
        one = Math.imul(one ^ word, 0x5bd1e995);
        one = (one << 13) | (one >>> 19);
        two = Math.imul(two, 0x01000193) ^ word;
        two = (two << 17) | (two >>> 15);
      }
      return [one, two];
    },
  };
}

/** The loop in WebAssembly, on machines of its byte order; null where there is none. */
export function compiledLanes(): Lanes | null {
  try {
    if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) return null;
    const { m: memory, s: sum } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()))
      .exports;
    return { bytes: new Uint8Array(memory.buffer), sum };
  } catch {
    // No address space to reserve, or compiling is forbidden.
    return null;
  }
}

/** What Node's types leave out, as far as this module goes. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => {
    readonly exports: {
      readonly m: { readonly buffer: ArrayBuffer };
      readonly s: Lanes['sum'];
    };
  };
};

/** One page of WebAssembly: a longer text is taken in pieces. */
const memoryBytes = 65_536;

function moduleBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(moduleHex.join('').match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** The module as WebAssembly's binary format has it, with what each part means. */
const moduleHex = [
  '0061736d01000000', // (module
  '01090160037f7f7f027f7f', // (type (func (param $length i32) (param $one i32) (param $two i32) (result i32 i32)))
  '03020100', // (func (type 0))
  '0503010001', // (memory 1)
  '070902016d020001730000', // (export "m" (memory 0)) (export "s" (func 0))
  '0a480146', // the code of the function
  '01027f', // (local $at i32) (local $word i32)
  '02400340', // block loop
  '200320004f0d01', //   br_if 1 when $at >= $length
  '20032802002104', //   $word = load $at
  '20012004734195d3c7de056c410d772101', //   $one = rotl(($one ^ $word) * 0x5bd1e995, 13)
  '200241938380086c2004734111772102', //   $two = rotl(($two * 0x01000193) ^ $word, 17)
  '200341046a21030c00', //   $at += 4, br 0
  '0b0b', // end end
  '200120020b', // $one, $two
];

let lanes: Lanes | undefined;
const encoder = new TextEncoder();

/** Spreads what the last words did over all digits (the last step of MurmurHash3, which is in the public domain). */
function hex(sum: number): string {
  let mixed = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0).toString(16).padStart(8, '0');
}
