/**
 * What an agent says of its usage, as one kind of figures: of the turn so far, tokens read afresh, written and read from
 * a cache, and its cost. What is not told in the middle of a turn is what the context has grown by: less than was used,
 * never more, since whatever stands in a context was read afresh or written at least once.
 */
import type { UsageKind } from '../agents/acp-profiles.ts';
import { numberIn, objectIn, textIn, tokensIn, type Json } from '../agents/json-lines.ts';
import type { Print } from './lines.ts';

interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

export interface Figures {
  /** A chunk of what it says may carry what its step used. */
  readonly chunk: (update: Json) => void;
  /** How full its context is, and what its session has cost. */
  readonly context: (update: Json) => void;
  /** The answer to its prompt. */
  readonly end: (answer: Json) => void;
}

export interface FiguresOptions {
  readonly kind: UsageKind;
  /** Nothing of the session's context was paid before. */
  readonly isNew: boolean;
  /** What the session had cost before, USD. */
  readonly costBefore: number;
  /** Takes what it has cost so far, with that. */
  readonly noteCost: (costUsd: number) => void;
}

/** Reads the figures of a session. */
export function figures(
  { kind, isNew, costBefore, noteCost }: FiguresOptions,
  print: Print,
): Figures {
  let steps: Tokens | null = null;
  let first: number | null = null;
  let grown = 0;
  let told = '';
  let cost = 0;
  const tell = (tokens: Tokens): void => {
    const line = { type: 'usage', ...tokens, cost_usd: cost, total: true };
    const text = JSON.stringify(line);
    if (text !== told) print(line);
    told = text;
  };
  const soFar = (): Tokens => steps ?? { input: grown, output: 0, cached: 0 };
  return {
    chunk(update) {
      const usage = objectIn(objectIn(update, '_meta'), 'usage');
      if (kind !== 'steps' && kind !== 'any') return;
      const step = stepIn(usage);
      if (step === null) return;
      steps = plus(steps, step);
      tell(steps);
    },
    context(update) {
      const used = tokensIn(update, 'used');
      first ??= used;
      grown = Math.max(grown, used - first);
      const { amount, currency } = objectIn(update, 'cost');
      if (typeof amount === 'number' && amount >= 0 && currency === 'USD') {
        cost = Math.max(cost, amount - costBefore);
        noteCost(amount);
      }
      if (grown > 0 || cost > 0) tell(soFar());
    },
    end(answer) {
      const whole = readers[kind](answer, isNew);
      if (whole !== null) tell(whole);
      else if (cost > 0) tell(soFar());
    },
  };
}

type Reader = (answer: Json, isNew: boolean) => Tokens | null;

const readers: Readonly<Record<UsageKind, Reader>> = {
  sum: summed,
  'last step': lastStep,
  steps: () => null,
  meta: inMeta,
  any: (answer) => summed(answer) ?? inMeta(answer),
};

function summed(answer: Json): Tokens | null {
  const usage = objectIn(answer, 'usage');
  if (numberIn(usage, 'inputTokens') === null) return null;
  const input = tokensIn(usage, 'inputTokens') + tokensIn(usage, 'cachedWriteTokens');
  const cached = tokensIn(usage, 'cachedReadTokens');
  const output = tokensIn(usage, 'outputTokens');
  // Some count what was thought as written, some beside it: then the total has it too.
  const beside = tokensIn(usage, 'totalTokens') - input - cached - output;
  const thought = Math.min(tokensIn(usage, 'thoughtTokens'), Math.max(0, beside));
  return { input, output: output + thought, cached };
}

/** In a new session whatever the last step read from a cache had been read afresh, or written, before. */
function lastStep(answer: Json, isNew: boolean): Tokens | null {
  const last = summed(answer);
  if (last === null || !isNew) return last;
  return { input: last.input + last.cached, output: last.output, cached: 0 };
}

/** What is read from a cache is not told apart. */
function inMeta(answer: Json): Tokens | null {
  const counted = objectIn(objectIn(objectIn(answer, '_meta'), 'quota'), 'token_count');
  if (numberIn(counted, 'input_tokens') === null) return null;
  return {
    input: tokensIn(counted, 'input_tokens'),
    output: tokensIn(counted, 'output_tokens'),
    cached: 0,
  };
}

/** Its input counts what was cached. */
function stepIn(usage: Json): Tokens | null {
  if (numberIn(usage, 'inputTokens') === null) return null;
  const input = tokensIn(usage, 'inputTokens');
  const cached = Math.min(input, tokensIn(usage, 'cachedReadTokens'));
  return { input: input - cached, output: tokensIn(usage, 'outputTokens'), cached };
}

function plus(one: Tokens | null, other: Tokens): Tokens {
  if (one === null) return other;
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    cached: one.cached + other.cached,
  };
}

/** Whether a chunk says that something went wrong with the turn, as one agent tells it beside its answer; null if not. */
export function troubleIn(update: Json): { readonly over: boolean; readonly error: Json } | null {
  const codex = objectIn(objectIn(update, '_meta'), 'codex');
  const over = textIn(objectIn(codex, 'threadStatus'), 'type') === 'systemError';
  const error = objectIn(codex, 'error');
  return over || Object.keys(error).length > 0 ? { over, error } : null;
}
