/**
 * A checksum that finds damage, for texts that are read at every start and written with every event. It keeps nobody
 * from forging one.
 *
 * The text is taken in words of four characters. Every step maps the sum one to one, so texts that differ within one
 * word always differ in their sum; of other damage one in 2^64 is missed.
 *
 * It is WebAssembly because most processes read a few hundred kilobytes once: `node:crypto` takes 8 ms to load, a loop
 * that was never run before takes as long, and this less than one.
 */

/** 16 hex digits. */
export function checksum(text: string): string {
  fold ??= compiled() ?? folded;
  const bytes = room(text.length * 2 + 7);
  const length = bytes.write(text, 'utf16le');
  bytes.fill(0, length, length + 7);
  return BigInt.asUintN(64, fold(length)).toString(16).padStart(16, '0');
}

/** The sum of so many bytes at the beginning of the memory, which are followed by zeroes. */
let fold: ((length: number) => bigint) | null = null;

let memory: Memory | null = null;
let view = Buffer.alloc(0);

/** At least so many bytes at the beginning of the memory. */
function room(length: number): Buffer<ArrayBuffer> {
  if (view.length >= length) return view;
  if (memory === null) view = Buffer.from(new ArrayBuffer((length + 7) & ~7));
  else {
    const missing = length - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65_536));
    view = Buffer.from(memory.buffer);
  }
  return view;
}

/**
 * `folded` below as a module of WebAssembly:
 *
 *     (module
 *       (memory (export "m") 1)
 *       (func (export "f") (param $length i32) (result i64) (local $at i32) (local $sum i64)
 *         (local.set $sum (i64.xor (i64.extend_i32_u (local.get $length)) (i64.const SEED)))
 *         (block
 *           (loop
 *             (br_if 1 (i32.ge_u (local.get $at) (local.get $length)))
 *             (local.set $sum (i64.rotl
 *               (i64.mul (i64.xor (local.get $sum) (i64.load (local.get $at))) (i64.const FACTOR))
 *               (i64.const 29)))
 *             (local.set $at (i32.add (local.get $at) (i32.const 8)))
 *             (br 0)))
 *         (local.set $sum (i64.mul
 *           (i64.xor (local.get $sum) (i64.shr_u (local.get $sum) (i64.const 32)))
 *           (i64.const FACTOR)))
 *         (i64.xor (local.get $sum) (i64.shr_u (local.get $sum) (i64.const 29)))))
 */
const moduleBytes =
  '0061736d0100000001060160017f017e030201000503010001070902016d0200016600000a63016102017f017e' +
  '2000ad42abf0d3f4afeebcb73c85210202400340200120004f0d0120022001290300854295f8a9fa97b7de9b9e' +
  '7f7e421d892102200141086a21010c000b0b20022002422088854295f8a9fa97b7de9b9e7f7e22022002421d88' +
  '850b';

const seed = 0x3c6ef372fe94f82bn;
const factor = 0x9e3779b97f4a7c15n;

/** A global of every Node of which its types know no values, as far as it is used here. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => {
    readonly exports: { readonly m: Memory; readonly f: (length: number) => bigint };
  };
};

interface Memory {
  /** Another one after each growth. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The compiled function, with `memory` to work on; null where there is no WebAssembly, or no room for its memory. */
function compiled(): ((length: number) => bigint) | null {
  try {
    const module = new WebAssembly.Module(Buffer.from(moduleBytes, 'hex'));
    const { m, f } = new WebAssembly.Instance(module).exports;
    memory = m;
    return f;
  } catch {
    return null;
  }
}

/** The same in words that everybody reads: what the tests compare with, and what a Node without WebAssembly uses. */
export function folded(length: number, buffer: ArrayBuffer = view.buffer): bigint {
  const words = new BigUint64Array(buffer, 0, Math.ceil(length / 8));
  let sum = BigInt(length) ^ seed;
  for (const word of words) {
    sum = BigInt.asUintN(64, (sum ^ word) * factor);
    sum = BigInt.asUintN(64, (sum << 29n) | (sum >> 35n));
  }
  sum = BigInt.asUintN(64, (sum ^ (sum >> 32n)) * factor);
  return sum ^ (sum >> 29n);
}
