/** A text as UTF-8 in pieces, so that a very long one is not copied as a whole. */

const encoder = new TextEncoder();
const pieceBytes = 64 * 1024;

/** The bytes of the text in their order; each piece is good until the next one is asked for. */
export function* utf8Pieces(text: string): Iterable<Uint8Array> {
  // At most three bytes for each unit of UTF-16.
  const buffer = new Uint8Array(Math.min(3 * text.length, pieceBytes));
  for (let from = 0; from < text.length;) {
    const rest = from === 0 ? text : text.slice(from);
    const { read, written } = encoder.encodeInto(rest, buffer);
    yield buffer.subarray(0, written);
    from += read;
  }
}
