/**
 * How the working tree of a worker is tied to a repository: a port with two implementations, a clone of czar's mirror
 * (`clone.ts`) and a linked worktree of the user's repository (`linked.ts`). Which one a run uses is its plan's choice;
 * everything else in this folder knows only what stands here. `isolation-contract.test.ts` holds both to it.
 */
import type { CloneRefs, GitDirState } from './clone-files.ts';
import type { GitContext, Identity } from '../context.ts';

/** What a tree is made from. */
export interface NewTree {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
  /** Without `refs/heads/`. */
  readonly branch: string;
  /** Commit of the mirror where it starts. */
  readonly commit: string;
  /** `<home>/worktrees/<worker>`: nothing is there. */
  readonly dir: string;
  readonly identity: Identity;
  /** URL of the user's `origin`, or null. */
  readonly origin: string | null;
}

/** The git side of one tree. Its agent may have written anything there: nothing here runs git in it. */
export interface TreeRepository {
  /** Folder with HEAD, index and the files of an unfinished merge; there may be none any more. */
  readonly gitDir: string;
  /** Folders with the objects of the tree's commits, beside those of the mirror. */
  readonly objects: readonly string[];
  /** Whether HEAD, refs and objects can be read. */
  state(): Promise<GitDirState>;
  /**
   * HEAD, the worker's branch (without `refs/heads/`), other refs that its agent may have put work on, and what reflogs
   * name. Call it when the state is `sound`.
   */
  refs(branch: string): Promise<CloneRefs>;
  /**
   * Makes it fit for git again: locks of a git that was killed go, files that tie it to its place are as they were made.
   * Only when no process of an attempt is left.
   */
  mend(branch: string): Promise<void>;
  /** Lets the tree stand at a commit of the mirror on its branch, with this index. False when that cannot be. */
  standAt(at: {
    readonly branch: string;
    readonly commit: string;
    readonly index: Uint8Array;
  }): Promise<boolean>;
  /**
   * What changed since the attempt began in what the tree shares with the user, each one sentence. What keeps the user's
   * git from working there is put back; the same is said again when it is asked again.
   */
  shared(): Promise<readonly string[]>;
  /** Remembers what the tree shares as it is now: an attempt begins. */
  begin(): Promise<void>;
}

/** For use inside `failing`, all of it. */
export interface Isolation {
  /** The git side of a tree, whatever stands there now. */
  repository(context: GitContext, tree: string): TreeRepository;
  /** Where the file stands that tells a worker who it is, in a tree: git there ignores it. */
  readonly identityFile: string;
  /**
   * Lets git in a tree ignore just these files of instructions at its top, whose names a repository may have itself;
   * false when that cannot be. Null where the list of what git ignores is the user's: there are none then.
   */
  readonly hide: ((tree: string, names: readonly string[]) => Promise<boolean>) | null;
  /** Makes a tree that is whole once it is at its place, also after kills half way. */
  make(context: GitContext, order: NewTree): Promise<void>;
  /** Takes a tree away, the work in which is stored. Its place is free at once; `deleted` settles when it is gone. */
  release(context: GitContext, tree: string): Promise<{ readonly deleted: Promise<void> }>;
  /** Lets git in the tree merge a commit of the mirror, under the name that the core knows as `offeredAs`. */
  offer(
    context: GitContext,
    of: { readonly run: string; readonly tree: string; readonly commit: string },
  ): Promise<boolean>;
  /** Removes what makings that were killed left. For the holder of the repository's lock, before trees are made. */
  reclaim(context: GitContext): Promise<void>;
}
