/**
 * What the figures of a model's answer mean, as each protocol writes them: Anthropic Messages, OpenAI Chat Completions
 * and Responses, Gemini. Pure.
 *
 * Told apart by their names alone, since a gateway may serve any of them at any address. In all but Anthropic's the
 * input includes what was read from a cache.
 */
import type { Usage } from '../core/events.ts';
import type { Figures } from './figures-in-json.ts';

/** What is known of one answer: of a stream the last of each figure, since later ones include those before. */
export function together(before: Figures, later: Figures): Figures {
  const told = Object.entries(later).filter(([, value]) => value !== null && value !== undefined);
  return { ...before, ...Object.fromEntries(told) };
}

/** The tokens of one answer; what it costs is told by no protocol. */
export function usageOf(figures: Figures): Usage {
  if ('promptTokenCount' in figures || 'candidatesTokenCount' in figures) {
    const cached = count(figures, 'cachedContentTokenCount');
    const read = count(figures, 'promptTokenCount') + count(figures, 'toolUsePromptTokenCount');
    const written = count(figures, 'candidatesTokenCount') + count(figures, 'thoughtsTokenCount');
    return usage(read, cached, written);
  }
  if ('prompt_tokens' in figures) {
    const cached = count(figures['prompt_tokens_details'], 'cached_tokens');
    return usage(count(figures, 'prompt_tokens'), cached, count(figures, 'completion_tokens'));
  }
  const written = count(figures, 'output_tokens');
  const read = count(figures, 'input_tokens');
  if ('input_tokens_details' in figures)
    return usage(read, count(figures['input_tokens_details'], 'cached_tokens'), written);
  // What is written into the cache was read afresh.
  const fresh = read + count(figures, 'cache_creation_input_tokens');
  const cached = count(figures, 'cache_read_input_tokens');
  return { input: fresh, output: written, cached, costUsd: 0 };
}

function usage(read: number, cached: number, output: number): Usage {
  const known = Math.min(read, cached);
  return { input: read - known, output, cached: known, costUsd: 0 };
}

/** No answer has more tokens: a figure above it is none. */
const mostTokens = 1e9;

function count(figures: unknown, name: string): number {
  if (typeof figures !== 'object' || figures === null) return 0;
  const value: unknown = Object.entries(figures).find(([key]) => key === name)?.[1];
  return typeof value === 'number' && value >= 0 && value <= mostTokens ? Math.round(value) : 0;
}
