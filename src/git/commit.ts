/** Makes commit objects in the mirror. No ref moves here. */
import { inMirror } from './context.ts';
import type { GitContext, Identity } from './context.ts';
import { line } from './git.ts';
import { objectId, writeCommit } from './mirror/object-format.ts';

/**
 * Makes a commit; the same values give the same id. `date` is milliseconds since 1970. For use inside `failing`.
 */
export async function makeCommit(
  context: GitContext,
  options: {
    readonly tree: string;
    readonly parents: readonly string[];
    readonly message: string;
    readonly identity: Identity;
    readonly date: number;
  },
): Promise<string> {
  const seconds = Math.floor(options.date / 1000);
  const identity = cleaned(options.identity);
  if (context.open !== undefined) {
    const content = writeCommit({ ...options, identity, seconds });
    if (content !== null) {
      const id = objectId('commit', content, options.tree.length);
      await context.open.write([{ id, type: 'commit', content }]);
      return id;
    }
  }
  const date = `@${seconds} +0000`;
  const { name, email } = identity;
  const env = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
  const parents = options.parents.flatMap((parent) => ['-p', parent]);
  const call = { ...inMirror(context), env, input: options.message };
  return line(['commit-tree', options.tree, ...parents, '-F', '-'], call);
}

/** A message with the trailers that every commit of czar's carries. */
export function withTrailers(
  message: string,
  of: { readonly run: string; readonly worker: string | null },
): string {
  const body = message.replace(/\0/g, '').trim();
  const trailers = [
    `Czar-Run: ${of.run}`,
    ...(of.worker === null ? [] : [`Czar-Worker: ${of.worker}`]),
  ];
  const text = body === '' ? 'Work' : body;
  return `${text}\n\n${trailers.join('\n')}\n`;
}

/** Name and address as git takes them: it refuses what is empty or holds signs of its format. */
export function cleaned(identity: Identity): Identity {
  const clean = (text: string): string => text.replace(/[<>\n\0]/g, '').trim();
  return { name: clean(identity.name) || 'czar', email: clean(identity.email) || 'czar@localhost' };
}
