/**
 * Pull requests of GitHub and merge requests of GitLab, through the programs that people have for them: `gh api` and
 * `glab api`, in the user's checkout, with the user's login. What is written goes in as JSON on stdin, never in argv.
 */
import { z } from 'zod';
import type { PullOrder } from '../core/events.ts';
import { runCommand } from '../process/run.ts';
import { which } from '../process/which.ts';

export interface Pull {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'merged' | 'closed';
}

/** The text of one. */
export interface PullText {
  readonly title: string;
  readonly body: string;
}

/** What can be done with pull requests; each throws a `ForgeError` when the program does not do it. */
export interface Forge {
  readonly program: 'gh' | 'glab';
  /** The open one of the branch into the target; null when there is none. */
  find(order: PullOrder): Promise<Pull | null>;
  open(order: PullOrder, text: PullText): Promise<Pull>;
  update(number: number, text: PullText): Promise<Pull>;
  look(number: number): Promise<Pull>;
}

/** The program said no, or what nobody understands. The message is a sentence. */
export class ForgeError extends Error {}

interface Here {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

const timeoutMs = 120_000;

/** The forge of a remote; a sentence when there is no program for it. */
export function forgeOf(url: string, here: Here): Forge | { readonly missing: string } {
  const host = hostOf(url);
  const named = host.includes('gitlab') ? 'glab' : host.includes('github') ? 'gh' : null;
  const path = here.env['PATH'] ?? '';
  const isHere = (program: string): boolean => 'path' in which({ program, path, cwd: here.root });
  const found = (named === null ? (['gh', 'glab'] as const) : [named]).find(isHere);
  if (found === 'gh') return gitHub(here);
  if (found === 'glab') return gitLab(here);
  return {
    missing: named === null ? 'neither gh nor glab is on the PATH' : `${named} is not on the PATH`,
  };
}

/** The host of a URL or of `user@host:path`; empty for a path. */
export function hostOf(url: string): string {
  const [, host = ''] = /^(?:[a-z+]+:\/\/)?(?:[^/@]*@)?([^/:]+)[:/]/.exec(url) ?? [];
  return url.startsWith('/') || url.startsWith('.') || url.startsWith('file:')
    ? ''
    : host.toLowerCase();
}

const onGitHub = z.object({
  number: z.int().positive(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullable(),
});

function gitHub(here: Here): Forge {
  const pulls = 'repos/{owner}/{repo}/pulls';
  const read = (said: unknown): Pull => {
    const { number, html_url: url, state, merged_at: merged } = parsed('gh', onGitHub, said);
    return { number, url, state: merged !== null ? 'merged' : state };
  };
  const call = async (path: string, method = 'GET', body?: object): Promise<unknown> =>
    api(here, { program: 'gh', path, method, body });
  return {
    program: 'gh',
    async find({ branch, target }) {
      const query = `state=open&head={owner}:${encodeURIComponent(branch)}&base=${encodeURIComponent(target)}`;
      const [first] = parsed('gh', z.array(z.unknown()), await call(`${pulls}?${query}`));
      return first === undefined ? null : read(first);
    },
    open: async ({ branch, target }, text) =>
      read(await call(pulls, 'POST', { ...text, head: branch, base: target })),
    update: async (number, text) => read(await call(`${pulls}/${number}`, 'PATCH', text)),
    look: async (number) => read(await call(`${pulls}/${number}`)),
  };
}

const onGitLab = z.object({
  iid: z.int().positive(),
  web_url: z.string(),
  state: z.enum(['opened', 'closed', 'locked', 'merged']),
});

function gitLab(here: Here): Forge {
  const requests = 'projects/:id/merge_requests';
  const read = (said: unknown): Pull => {
    const { iid: number, web_url: url, state } = parsed('glab', onGitLab, said);
    return { number, url, state: state === 'opened' || state === 'locked' ? 'open' : state };
  };
  const call = async (path: string, method = 'GET', body?: object): Promise<unknown> =>
    api(here, { program: 'glab', path, method, body });
  const fields = ({ title, body }: PullText): object => ({ title, description: body });
  return {
    program: 'glab',
    async find({ branch, target }) {
      const query = `state=opened&source_branch=${encodeURIComponent(branch)}&target_branch=${encodeURIComponent(target)}`;
      const [first] = parsed('glab', z.array(z.unknown()), await call(`${requests}?${query}`));
      return first === undefined ? null : read(first);
    },
    open: async ({ branch, target }, text) =>
      read(
        await call(requests, 'POST', {
          ...fields(text),
          source_branch: branch,
          target_branch: target,
        }),
      ),
    update: async (number, text) => read(await call(`${requests}/${number}`, 'PUT', fields(text))),
    look: async (number) => read(await call(`${requests}/${number}`)),
  };
}

async function api(
  { root, env, signal }: Here,
  of: {
    readonly program: string;
    readonly path: string;
    readonly method: string;
    readonly body: object | undefined;
  },
): Promise<unknown> {
  const { program, path, method, body } = of;
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
    const said = done.stderr.toString('utf8').trim().split('\n')[0] ?? '';
    const how = done.timedOut ? 'it did not answer' : (done.spawnError ?? said);
    throw new ForgeError(
      `${program}: ${how === '' ? `it ended with ${done.code ?? done.signal}` : how}`,
    );
  }
  try {
    return JSON.parse(done.stdout.toString('utf8'));
  } catch {
    throw new ForgeError(`${program} api printed what is no JSON`);
  }
}

function parsed<T>(program: string, schema: z.ZodType<T>, said: unknown): T {
  const read = schema.safeParse(said);
  if (read.success) return read.data;
  throw new ForgeError(
    `${program} answered what czar does not understand: ${read.error.issues[0]?.message ?? ''}`,
  );
}
