/**
 * Finds the figures of usage in a JSON text that comes in pieces, in a fixed amount of memory: objects under `usage` or
 * `usageMetadata`, at the top or within `message` or `response`. Pure.
 *
 * What is within strings, or deeper, is the model's own text and means nothing. Nothing of a document is kept,
 * which may be as long as its sender likes.
 */

/** What stands under one of the names; its values are not looked at. */
export type Figures = Readonly<Record<string, unknown>>;

export interface JsonFigures {
  /** The next piece of the text. */
  readonly take: (bytes: Uint8Array) => void;
  /** Begins anew: another document comes. */
  readonly reset: () => void;
}

/** How deep the names of keys are remembered. */
const mostDepth = 3;
/** Longest name that is looked for, and longest object that is read, bytes. */
const mostKey = 32;
const mostFigures = 8 * 1024;

const paths: ReadonlySet<string> = new Set([
  'usage',
  'message.usage',
  'response.usage',
  'usageMetadata',
  'response.usageMetadata',
]);

const [quote, backslash, open, close, openList, closeList, comma, colon] = Buffer.from('"\\{}[],:');

/** Reads documents; `found` is called as soon as an object of figures is whole. */
export function jsonFigures(found: (figures: Figures) => void): JsonFigures {
  /** Keys that lead to where it is; a list at the top counts for nothing, any other spoils the path. */
  let keys: (string | null)[] = [];
  let depth = 0;
  let listed = 0;
  let inString = false;
  let escaped = false;
  /** Text of a string that may be a key; null when it is none, or too long. */
  let word: string | null = null;
  let isKey = false;
  /** Depth at which what is captured began; 0 for nothing. */
  let captureDepth = 0;
  let captured: number[] = [];

  const reset = (): void => {
    keys = [];
    depth = listed = captureDepth = 0;
    inString = escaped = isKey = false;
    word = null;
    captured = [];
  };
  const ended = (): void => {
    if (captureDepth === 0 || depth >= captureDepth) return;
    captureDepth = 0;
    const figures = parsed(captured);
    captured = [];
    if (figures !== null) found(figures);
  };
  const opened = (isList: boolean): void => {
    if (isList && depth === 0 && keys.length === 0) {
      listed += 1;
      return;
    }
    depth += 1;
    if (captureDepth > 0) return;
    if (!isList && depth > 1 && depth <= mostDepth && isWanted(keys.slice(0, depth - 1))) {
      captureDepth = depth;
      captured = [open ?? 0];
    }
    if (depth <= mostDepth) keys[depth - 1] = null;
    isKey = !isList;
  };
  const string = (byte: number): void => {
    if (escaped) escaped = false;
    else if (byte === backslash) escaped = true;
    else if (byte === quote) {
      inString = false;
      return;
    }
    if (word !== null)
      word = word.length < mostKey && byte < 0x80 ? word + String.fromCharCode(byte) : null;
  };
  const outside = (byte: number): void => {
    switch (byte) {
      case quote:
        inString = true;
        word = isKey && depth <= mostDepth && captureDepth === 0 ? '' : null;
        return;
      case colon:
        if (isKey && depth > 0 && depth <= mostDepth) keys[depth - 1] = word;
        isKey = false;
        return;
      case comma:
        isKey = depth > 0;
        return;
      case open:
        opened(false);
        return;
      case openList:
        opened(true);
        return;
      case close:
      case closeList:
        if (depth > 0) {
          if (depth <= mostDepth) keys.length = depth - 1;
          depth -= 1;
        } else if (listed > 0) listed -= 1;
        isKey = false;
        return;
      default:
    }
  };
  return {
    reset,
    take: (bytes) => {
      for (let at = 0; at < bytes.length; at += 1) {
        // Most of an answer is text, which is passed over.
        if (inString && !escaped && word === null && captureDepth === 0)
          while (at < bytes.length - 1 && bytes[at] !== quote && bytes[at] !== backslash) at += 1;
        const byte = bytes[at] ?? 0;
        const before = captureDepth;
        if (inString) string(byte);
        else outside(byte);
        if (before > 0) {
          if (captured.length < mostFigures) captured.push(byte);
          ended();
        }
      }
    },
  };
}

function isWanted(keys: readonly (string | null)[]): boolean {
  return paths.has(keys.map((key) => key ?? '').join('.'));
}

function parsed(bytes: readonly number[]): Figures | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    // Too long, or no JSON after all.
    return null;
  }
}
