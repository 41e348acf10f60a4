/** JSON of what is long, in pieces, so that it is never there as a whole: an event with a plan of thousands of workers. */

/** How deep the parts are that come as one piece each: the workers of a plan in the document of an event. */
const pieceDepth = 4;

/** The text that `JSON.stringify` gives of plain data. */
export function* jsonPieces(value: unknown, depth: number = pieceDepth): Iterable<string> {
  if (depth === 0 || typeof value !== 'object' || value === null) {
    yield JSON.stringify(value) ?? 'null';
    return;
  }
  let before = '';
  if (Array.isArray(value)) {
    yield '[';
    for (const one of value) {
      yield before;
      yield* jsonPieces(one, depth - 1);
      before = ',';
    }
    yield ']';
    return;
  }
  yield '{';
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    yield `${before}${JSON.stringify(key)}:`;
    yield* jsonPieces(member, depth - 1);
    before = ',';
  }
  yield '}';
}
