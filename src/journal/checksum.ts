/**
 * A checksum that finds damage, for texts that are read at every start and written with every event: `node:crypto` takes
 * longer to load than many a command, and longer for each text. It keeps nobody from forging one.
 *
 * Two lanes take the text's UTF-8 in words of four bytes. Every step maps the state of its lane one to one, so texts
 * that differ within one word always differ in their sum; of other damage one in 2^64 is missed.
 */

/** 16 hex digits, the same on machines of the same byte order. Lone surrogates count as U+FFFD. */
export function checksum(text: string): string {
  const { words, length } = encoded(text);
  let one = 0x3c6ef372 ^ length;
  let two = 0x1f83d9ab ^ length;
  const count = Math.ceil(length / 4);
  for (let index = 0; index < count; index += 1) {
    const word = words[index] ?? 0;
    one = imul(one ^ word, 0x5bd1e995);
    one = (one << 13) | (one >>> 19);
    two = imul(two, 0x01000193) ^ word;
    two = (two << 17) | (two >>> 15);
  }
  return hex(one) + hex(two);
}

/** The text as words, the last one filled up with zeroes; `length` is in bytes. Valid until the next call. */
function encoded(text: string): { readonly words: Int32Array; readonly length: number } {
  // At most three bytes for each unit of UTF-16, and three zeroes.
  if (scratch.length < text.length + 1) scratch = new Int32Array(text.length + 1);
  const bytes = new Uint8Array(scratch.buffer);
  const { written } = encoder.encodeInto(text, bytes);
  bytes.fill(0, written, written + 3);
  return { words: scratch, length: written };
}

// Looked up once: most processes run the loop too seldom for the compiler to do it.
const { imul } = Math;

const encoder = new TextEncoder();
let scratch = new Int32Array(8192);

/** Spreads what the last words did over all digits (the last step of MurmurHash3, which is in the public domain). */
function hex(sum: number): string {
  let mixed = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0).toString(16).padStart(8, '0');
}
