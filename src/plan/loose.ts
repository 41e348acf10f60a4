/**
 * The looser words of real project folders: names of agents as people write them, dependencies in prose, amounts with
 * a K or M. What is not understood is given back to be quoted, never guessed.
 */
import { idProblem } from './fields.ts';
import { plainText } from './markdown.ts';

/** A dependency that was understood, or the words that were not. */
export type LooseDependency =
  | { readonly kind: 'id'; readonly on: string }
  | { readonly kind: 'all' }
  | { readonly kind: 'phase'; readonly phase: number }
  | { readonly kind: 'unknown'; readonly words: string };

/** Dependencies in prose, such as `ALL Phase 1 + a + b`, `` `a`, `b` (merged) `` or `None`. */
export function looseDependencies(text: string): readonly LooseDependency[] {
  const parts = text
    .replace(/\([^()]*\)/g, ' ')
    .replace(/[^\S\n]+/g, ' ')
    .split(/[,;+&\n]| and /i)
    .map((part) => plainText(part.replace(/[[\]]/g, '').trim()).replace(/\.$/, ''))
    .filter((part) => part !== '');
  return parts.flatMap((part): readonly LooseDependency[] => {
    if (/^(?:none|no|nothing|n\/a|[-–—]+|no dependencies|independent)$/i.test(part)) return [];
    if (/^all(?: (?:other )?workers?)?$/i.test(part)) return [{ kind: 'all' }];
    const phase =
      /^(?:all )?(?:(?:workers? )?(?:of|in|from) )?phase (\d{1,4})(?: workers?)?$/i.exec(part);
    if (phase !== null) return [{ kind: 'phase', phase: Number(phase[1]) }];
    if (idProblem(part) === null) return [{ kind: 'id', on: part }];
    return [{ kind: 'unknown', words: part }];
  });
}

/**
 * The name of an agent from what people write: `Aider (recommended)` is aider, `Claude Code` is claude; `any` and
 * blanks are null, which leaves the choice. What is no name is undefined.
 */
export function looseAgent(text: string): string | null | undefined {
  const words = plainText(text.replace(/\([^()]*\)/g, ' '))
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim();
  if (words === '' || words === 'any' || words === 'any agent') return null;
  const name = aliases.get(words) ?? words.replaceAll(' ', '-');
  return name.length <= 64 && /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(name) ? name : undefined;
}

/** A number of tokens: `150000`, `150,000`, `150K`, `1.2M`; null when it is none. */
export function looseTokens(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? value : null;
  if (typeof value !== 'string') return null;
  const match =
    /^~?\s*(\d{1,3}(?:[,_]\d{3})+|\d{1,12}(?:\.\d{1,3})?)\s*([km])?(?:\s*tokens?)?$/i.exec(
      value.trim(),
    );
  if (match === null) return null;
  const unit = { k: 1000, m: 1_000_000 }[(match[2] ?? '').toLowerCase()] ?? 1;
  const tokens = Number((match[1] ?? '').replace(/[,_]/g, '')) * unit;
  return Number.isSafeInteger(Math.round(tokens)) && tokens >= 1 ? Math.round(tokens) : null;
}

/** The priority of a number: 1 is the most urgent. Null when it is none. */
export function loosePriority(value: unknown): 'critical' | 'high' | 'normal' | 'low' | null {
  const number = typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0) return null;
  return number <= 1 ? 'critical' : number === 2 ? 'high' : number === 3 ? 'normal' : 'low';
}

const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'claude code': 'claude',
    'claude-code': 'claude',
    'openai codex': 'codex',
    'codex cli': 'codex',
    'gemini cli': 'gemini',
    'cursor agent': 'cursor',
    'github copilot': 'copilot',
    'open code': 'opencode',
  }),
);
