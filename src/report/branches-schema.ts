/** The documents of `czar branch status` and `czar worktree list`, version 1: shipped in `schema/`. */
import * as z from 'zod';
import { states } from '../core/lifecycle.ts';

const count = z.int().min(0);

/** `czar branch status --json`. */
export const branchesSchema = z.strictObject({
  v: z.literal(1),
  run: z.string(),
  against: z.string().nullable().describe('branch that ahead and behind are counted against'),
  branches: z.array(
    z.strictObject({
      worker: z.string(),
      state: z.enum(states),
      branch: z.string(),
      commit: z.string().nullable().describe('null when there is no such branch'),
      commits: count.describe('of its whole history'),
      latest_commit: z.string().nullable().describe('id and subject'),
      latest_at: z.iso.datetime({ precision: 3 }).nullable(),
      commits_ahead: count.nullable(),
      commits_behind: count.nullable(),
      unmerged: count.nullable().describe('commits that integration has not'),
      diverged: z.string().nullable().describe('why czar leaves it alone'),
    }),
  ),
});

/** `czar worktree list --json`. */
export const worktreesSchema = z.strictObject({
  v: z.literal(1),
  worktrees: z.array(
    z.strictObject({
      run: z.string(),
      worker: z.string(),
      state: z.enum(states),
      path: z.string().describe('relative to the checkout'),
      branch: z.string().nullable(),
      agent: z.string(),
      there: z.boolean(),
      live: z.boolean().describe('whether an agent works in it'),
      merged: z.boolean(),
    }),
  ),
});

/** `czar worktree cleanup --json`. */
export const cleanupSchema = z.strictObject({
  v: z.literal(1),
  removed: z.array(
    z.strictObject({
      run: z.string(),
      worker: z.string(),
      path: z.string(),
      kept: z.array(z.string()).describe('refs of what it held and was merged nowhere'),
    }),
  ),
  left: z.array(
    z.strictObject({ run: z.string(), worker: z.string(), path: z.string(), why: z.string() }),
  ),
});

/** `czar create-worktree WORKER --json`. */
export const createWorktreeSchema = z.strictObject({
  v: z.literal(1),
  run: z.string(),
  worker: z.string(),
  path: z.string().describe('relative to the checkout'),
  branch: z.string(),
});

export type CleanupDocument = z.infer<typeof cleanupSchema>;
export type WorktreesDocument = z.infer<typeof worktreesSchema>;
export type BranchesDocument = z.infer<typeof branchesSchema>;
