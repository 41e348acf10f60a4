/**
 * Comments on lines, as a person writes them: `path:12: text` or `path: text`, one a line, with a severity before the
 * text where it is not medium (`path:12: high: text`); or a JSON list of findings.
 */
import type { ReviewFinding, Severity } from '../../core/events.ts';

const severities: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

/** The findings, or the number of the line that is none of these with why. */
export function parseComments(
  text: string,
):
  | { readonly findings: readonly ReviewFinding[] }
  | { readonly line: number; readonly why: string } {
  if (text.trimStart().startsWith('[')) return ofJson(text);
  const findings: ReviewFinding[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const written = line.trim();
    if (written === '' || written.startsWith('#')) continue;
    const finding = ofLine(written);
    if (finding === null) return { line: index + 1, why: 'expected PATH:LINE: TEXT' };
    findings.push(finding);
  }
  return { findings };
}

function ofLine(line: string): ReviewFinding | null {
  const match = /^(?<file>[^\s:][^:]*):(?:(?<line>[1-9]\d{0,8}):)?\s+(?<text>.+)$/.exec(line);
  const { file, line: number, text } = match?.groups ?? {};
  if (file === undefined || text === undefined) return null;
  const named = /^(?<severity>[a-z]+):\s+(?<rest>.+)$/i.exec(text)?.groups;
  const severity = severities.find((one) => one === named?.['severity']?.toLowerCase());
  return {
    severity: severity ?? 'medium',
    file,
    line: number === undefined ? null : Number(number),
    text: severity === undefined ? text : (named?.['rest'] ?? text),
  };
}

function ofJson(text: string): ReturnType<typeof parseComments> {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    return { line: 1, why: error instanceof Error ? error.message : String(error) };
  }
  const findings: ReviewFinding[] = [];
  for (const [index, one] of (Array.isArray(list) ? list : [list]).entries()) {
    const finding = ofObject(one);
    if (finding === null)
      return {
        line: 1,
        why: `entry ${index + 1} needs a text, and may have severity, file and line`,
      };
    findings.push(finding);
  }
  return { findings };
}

function ofObject(value: unknown): ReviewFinding | null {
  if (typeof value !== 'object' || value === null) return null;
  const { severity = 'medium', file = null, line = null, text } = value as Record<string, unknown>;
  const known = severities.find((one) => one === severity);
  if (known === undefined || typeof text !== 'string' || text.trim() === '') return null;
  if (file !== null && typeof file !== 'string') return null;
  if (line !== null && (typeof line !== 'number' || !Number.isSafeInteger(line) || line < 1))
    return null;
  return { severity: known, file, line, text: text.trim() };
}
