/** Where the repository, czar's state and the home are; the first argument of what works on them. */
import type { OpenMirror } from './mirror/open-mirror.ts';

export interface GitContext {
  /** The user's checkout, absolute. */
  readonly root: string;
  /** The user's git directory that all linked worktrees share, absolute. */
  readonly commonDir: string;
  /** `<commonDir>/czar`. */
  readonly state: string;
  /** `<state>/mirror.git`: the only repository in which czar runs git of its own accord. */
  readonly mirror: string;
  /** `.czar` or `.czarina`, absolute. */
  readonly home: string;
  /** Ends every git call that is under way. */
  readonly signal?: AbortSignal | undefined;
  /** The mirror held open, for what would otherwise start a git for each question; without it git is started. */
  readonly open?: OpenMirror | undefined;
  /** Called before and after each step that changes something, with the step's name; a crash test kills there. */
  readonly point?: ((name: string) => void | Promise<void>) | undefined;
}

/** Name and address that commits carry. */
export interface Identity {
  readonly name: string;
  readonly email: string;
}

/** Announces a crash point. */
export async function reach(context: GitContext, name: string): Promise<void> {
  await context.point?.(name);
}

/** The context of a repository: everything else follows from its checkout, git directory and home. */
export function gitContext(place: {
  readonly root: string;
  readonly commonDir: string;
  readonly home: string;
  readonly signal?: AbortSignal | undefined;
  readonly open?: OpenMirror | undefined;
  readonly point?: ((name: string) => void | Promise<void>) | undefined;
}): GitContext {
  const state = `${place.commonDir}/czar`;
  return { ...place, state, mirror: `${state}/mirror.git` };
}

/** A call of git in the mirror. */
export function inMirror(context: GitContext): {
  readonly cwd: string;
  readonly gitDir: string;
  readonly signal: AbortSignal | undefined;
} {
  return { cwd: context.mirror, gitDir: context.mirror, signal: context.signal };
}

/** A call of git on the refs and objects of the user's repository, not on its checkout. */
export function inUserRepository(context: GitContext): {
  readonly cwd: string;
  readonly gitDir: string;
  readonly signal: AbortSignal | undefined;
} {
  return { cwd: context.commonDir, gitDir: context.commonDir, signal: context.signal };
}
