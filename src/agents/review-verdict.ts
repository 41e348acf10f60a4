/**
 * A reviewer's verdict, found in what it said: the last JSON object that carries the review's key. The key stands in the
 * prompt alone, so that nothing that the reviewer only quotes can be taken for its own word.
 */
import type { ReviewFinding, Severity } from '../core/events.ts';

export interface Verdict {
  readonly result: 'approve' | 'changes_requested';
  readonly text: string;
  readonly findings: readonly ReviewFinding[];
}

/** Objects that are tried around one place of the key: those that hold it begin shortly before. */
const triesForKey = 64;
/** Findings of one review; characters of a text. */
const mostFindings = 200;
const longest = 8_000;

/** The verdict in the text; null when there is none. */
export function verdictIn(text: string, key: string): Verdict | null {
  return lastKeyed(text, key, (json) => read(json, key));
}

/** What a writer of prose says in an object `{"closeout": key, "text": …}`; null when there is none. */
export function proseIn(text: string, key: string): string | null {
  return lastKeyed(text, key, (json) => {
    const value = parsed(json);
    const prose = value?.['closeout'] === key ? textOf(value['text']) : '';
    return prose === '' ? null : prose;
  });
}

/** The last object that `read` takes, of those that hold the key. */
function lastKeyed<T>(text: string, key: string, read: (json: string) => T | null): T | null {
  for (let at = text.lastIndexOf(key); at >= 0; at = text.lastIndexOf(key, at - 1)) {
    const found = objectAround(text, at, read);
    if (found !== null) return found;
    if (at === 0) break;
  }
  return null;
}

function objectAround<T>(text: string, at: number, read: (json: string) => T | null): T | null {
  let open = at;
  for (let tries = 0; tries < triesForKey; tries += 1) {
    open = text.lastIndexOf('{', open - 1);
    if (open < 0) return null;
    const end = endOfObject(text, open);
    if (end < at) continue;
    const found = read(text.slice(open, end));
    if (found !== null) return found;
    if (open === 0) return null;
  }
  return null;
}

/** Where the object that opens here is closed again; 0 when it is not. */
function endOfObject(text: string, open: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = open; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{') depth += 1;
    else if (char === '}') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return 0;
}

function read(json: string, key: string): Verdict | null {
  const value = parsed(json);
  if (value?.['review'] !== key) return null;
  const result = value['verdict'];
  if (result !== 'approve' && result !== 'changes_requested') return null;
  const findings = Array.isArray(value['findings']) ? value['findings'] : [];
  return {
    result,
    text: textOf(value['summary']),
    findings: findings.slice(0, mostFindings).flatMap((one) => findingOf(one) ?? []),
  };
}

function findingOf(value: unknown): ReviewFinding | null {
  if (!isObject(value)) return null;
  const text = textOf(value['text']);
  if (text === '') return null;
  const { file, line } = value;
  return {
    severity: severityOf(value['severity']),
    file: typeof file === 'string' && file !== '' ? file.slice(0, 4_096) : null,
    line: typeof line === 'number' && Number.isSafeInteger(line) && line > 0 ? line : null,
    text,
  };
}

const severities: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

/** What is named otherwise is neither grave nor nothing. */
function severityOf(value: unknown): Severity {
  const name = typeof value === 'string' ? value.toLowerCase() : '';
  return severities.find((one) => one === name) ?? 'medium';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim().slice(0, longest) : '';
}

function parsed(json: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
