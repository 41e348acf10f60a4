/**
 * The programs that people have for their forges: `gh api` and `glab api`, in the user's checkout, with the user's login.
 * What is written goes in as JSON on stdin, never in argv.
 */
import type { z } from 'zod';
import { runCommand } from '../../process/run.ts';

/** The program said no, or what nobody understands. The message is a sentence. */
export class ForgeError extends Error {
  /** What the program printed on stderr; empty where that is not why. */
  readonly said: string;

  constructor(message: string, said = '') {
    super(message);
    this.said = said;
  }
}

export interface ForgePlace {
  /** Root of the checkout. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

export interface ForgeCall {
  readonly program: 'gh' | 'glab';
  readonly path: string;
  readonly method?: string;
  readonly body?: object | undefined;
}

const timeoutMs = 120_000;
/** Entries of a page, and pages that are read of one list. */
const pageSize = 100;
const mostPages = 10;

/** Calls it; what it prints is the answer, as text. */
export async function callText({ root, env, signal }: ForgePlace, of: ForgeCall): Promise<string> {
  const { program, path, method = 'GET', body } = of;
  const input = body === undefined ? undefined : JSON.stringify(body);
  const done = await runCommand({
    argv: [
      program,
      'api',
      path,
      '--method',
      method,
      ...(input === undefined
        ? []
        : ['--header', 'Content-Type: application/json', '--input', '-']),
    ],
    cwd: root,
    env: { ...env, GH_PROMPT_DISABLED: '1', GH_NO_UPDATE_NOTIFIER: '1', NO_COLOR: '1' },
    timeoutMs,
    ...(input === undefined ? {} : { input }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (done.code !== 0) {
    const said = done.stderr.toString('utf8').trim();
    const [first = ''] = said.split('\n');
    const spoken = first.startsWith(`${program}: `) ? first.slice(program.length + 2) : first;
    const how = done.timedOut ? 'it did not answer' : (done.spawnError ?? spoken);
    throw new ForgeError(
      `${program}: ${how === '' ? `it ended with ${done.code ?? done.signal}` : how}`,
      done.timedOut ? '' : said,
    );
  }
  return done.stdout.toString('utf8');
}

/** The answer in its shape. */
export function parsed<T>(program: string, schema: z.ZodType<T>, said: unknown): T {
  const read = schema.safeParse(said);
  if (read.success) return read.data;
  throw new ForgeError(
    `${program} answered what czar does not understand: ${read.error.issues[0]?.message ?? ''}`,
  );
}

/** Calls it; the answer is JSON. */
export async function call(here: ForgePlace, of: ForgeCall): Promise<unknown> {
  const text = await callText(here, of);
  try {
    return JSON.parse(text);
  } catch {
    throw new ForgeError(`${of.program} api printed what is no JSON`);
  }
}

/** A whole list, page by page; `entries` finds it in an answer. */
export async function callList<T>(
  here: ForgePlace,
  of: ForgeCall,
  entries: z.ZodType<readonly T[]>,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const path = `${of.path}${of.path.includes('?') ? '&' : '?'}per_page=${pageSize}&page=${page}`;
    const found = parsed(of.program, entries, await call(here, { ...of, path }));
    all.push(...found);
    if (found.length < pageSize) break;
  }
  return all;
}
