/** Questions to the person at the terminal: yes, or anything else for no; one of several words, or nothing. */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/** Asks on `output` and waits for one line of `input`; the end of the input and Ctrl-C are a no. */
export async function confirm(question: string, terminal: Terminal): Promise<boolean> {
  const line = await answer(`${question} [y/N] `, terminal);
  return line !== null && /^\s*y(es)?\s*$/i.test(line);
}

/** Asks for one of the words, which its first letter stands for; null for anything else, as `confirm` has a no. */
export async function choose(
  question: string,
  words: readonly string[],
  terminal: Terminal,
): Promise<string | null> {
  const line = await answer(`${question} [${words.join('/')}] `, terminal);
  const typed = line?.trim().toLowerCase() ?? '';
  return words.find((word) => word === typed || word[0] === typed) ?? null;
}

/** The line that is typed; null for the end of the input and Ctrl-C. */
async function answer(prompt: string, { input, output }: Terminal): Promise<string | null> {
  const lines = createInterface({ input, output });
  try {
    return await new Promise<string | null>((resolve) => {
      lines.once('close', () => resolve(null));
      lines.once('SIGINT', () => resolve(null));
      lines.question(prompt, resolve);
    });
  } finally {
    lines.close();
  }
}
