/** A question to the person at the terminal: yes, or anything else for no. */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Asks on `output` and waits for one line of `input`; the end of the input and Ctrl-C are a no. */
export async function confirm(
  question: string,
  { input, output }: { readonly input: Readable; readonly output: Writable },
): Promise<boolean> {
  const lines = createInterface({ input, output });
  try {
    return await new Promise<boolean>((resolve) => {
      lines.once('close', () => resolve(false));
      lines.once('SIGINT', () => resolve(false));
      lines.question(`${question} [y/N] `, (line) => resolve(/^\s*y(es)?\s*$/i.test(line)));
    });
  } finally {
    lines.close();
  }
}
