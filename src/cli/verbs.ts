/** Every verb with its summary. Only the one that is named is loaded, so that each starts quickly. */
import type { Verb } from './verb.ts';

export interface VerbEntry {
  /** One line for the list of verbs, without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly verb: Verb }>;
}

/** The verbs in the order in which help lists them. */
export const verbs: Readonly<Record<string, VerbEntry>> = {
  init: { summary: 'set up a home from what is there', load: () => import('./verbs/init.ts') },
  validate: {
    summary: 'check the plan files and say everything that is wrong',
    load: () => import('./verbs/validate.ts'),
  },
  doctor: {
    summary: 'what does not work here, or could be lost; --fix mends what is safe',
    load: () => import('./verbs/doctor.ts'),
  },
  config: {
    summary: 'the configuration and where it comes from: show, explain, validate',
    load: () => import('./verbs/config.ts'),
  },
  plan: {
    summary: 'the plan as it would run: show, waves, graph; and as a run has it: diff, amend',
    load: () => import('./verbs/plan.ts'),
  },
  worker: { summary: 'one worker: new, show', load: () => import('./verbs/worker.ts') },
  add: { summary: 'write a worker from a sentence', load: () => import('./verbs/add.ts') },
  run: {
    summary: 'run the plan in the foreground, or go on with the live run',
    load: () => import('./verbs/run.ts'),
  },
  daemon: {
    summary: 'the run in the background: start, stop, restart, status, logs',
    load: () => import('./verbs/daemon.ts'),
  },
  status: {
    summary: 'where the run, or one worker of it, stands',
    load: () => import('./verbs/status.ts'),
  },
  events: {
    summary: 'the log, as it stands or as it grows',
    load: () => import('./verbs/events.ts'),
  },
  inbox: { summary: 'everything that waits for you', load: () => import('./verbs/inbox.ts') },
  why: { summary: 'why a worker is where it is', load: () => import('./verbs/why.ts') },
  logs: { summary: 'what a worker’s agent printed', load: () => import('./verbs/logs.ts') },
  diff: { summary: 'what a worker changed', load: () => import('./verbs/diff.ts') },
  gate: {
    summary: 'every gate of a worker with its verdict and its output',
    load: () => import('./verbs/gate.ts'),
  },
  conflicts: {
    summary: 'which branches that are under way would be in conflict',
    load: () => import('./verbs/conflicts.ts'),
  },
  worktree: {
    summary: 'the working trees of workers: list, merge, cleanup',
    load: () => import('./verbs/worktree.ts'),
  },
  'create-worktree': {
    summary: 'the working tree of a worker, before its first attempt',
    load: () => import('./verbs/create-worktree.ts'),
  },
  branch: {
    summary: 'the branches of workers as git has them: status',
    load: () => import('./verbs/branch.ts'),
  },
  path: { summary: 'where a worker’s working tree is', load: () => import('./verbs/path.ts') },
  report: {
    summary: 'the run told in sections: status, metrics, daily, weekly, closeout',
    load: () => import('./verbs/report.ts'),
  },
  metrics: {
    summary: 'what each worker cost and brought, and the sums',
    load: () => import('./verbs/metrics.ts'),
  },
  closeout: {
    summary: 'the report that closes a run: what is there, what it cost, what is left',
    load: () => import('./verbs/closeout.ts'),
  },
  retry: {
    summary: 'try a failed, blocked or cancelled worker again',
    load: () => import('./verbs/retry.ts'),
  },
  submit: {
    summary: 'say that a worker’s tree as it stands is the work',
    load: () => import('./verbs/submit.ts'),
  },
  review: {
    summary: 'what is under review; approve it or ask for changes',
    load: () => import('./verbs/review.ts'),
  },
  answer: { summary: 'answer a worker’s question', load: () => import('./verbs/answer.ts') },
  unblock: { summary: 'let a blocked worker go on', load: () => import('./verbs/unblock.ts') },
  approve: {
    summary: 'let workers start that wait for it, or the change of a protected path pass',
    load: () => import('./verbs/approve.ts'),
  },
  deny: { summary: 'keep workers from starting', load: () => import('./verbs/deny.ts') },
  tell: { summary: 'tell a worker’s agent something', load: () => import('./verbs/tell.ts') },
  pause: { summary: 'hold a worker, or the whole run', load: () => import('./verbs/pause.ts') },
  resume: { summary: 'let what is paused go on', load: () => import('./verbs/resume.ts') },
  skip: { summary: 'go on without a worker', load: () => import('./verbs/skip.ts') },
  cancel: { summary: 'stop a worker, or the whole run', load: () => import('./verbs/cancel.ts') },
  budget: {
    summary: 'what may be spent and what has been; raise it',
    load: () => import('./verbs/budget.ts'),
  },
  resources: {
    summary: 'what workers share, who holds how much, and who waits',
    load: () => import('./verbs/resources.ts'),
  },
  agents: {
    summary: 'which agents there are, and what each can do: list, test',
    load: () => import('./verbs/agents.ts'),
  },
  attach: {
    summary: 'work in a worker’s tree yourself; it is paused meanwhile',
    load: () => import('./verbs/attach.ts'),
  },
  kept: {
    summary: 'work that no branch holds: list, show, restore',
    load: () => import('./verbs/kept.ts'),
  },
  check: {
    summary: 'whether every required branch is in integration: integration',
    load: () => import('./verbs/check.ts'),
  },
  sync: {
    summary: 'bring your branch, as it is now, into a live run',
    load: () => import('./verbs/sync.ts'),
  },
  land: { summary: 'bring the run’s work into your branch', load: () => import('./verbs/land.ts') },
  prune: {
    summary: 'delete what old runs hold, as far as it is landed or asked for',
    load: () => import('./verbs/prune.ts'),
  },
  uninstall: {
    summary: 'remove everything that czar made, after a bundle of what is not merged',
    load: () => import('./verbs/uninstall.ts'),
  },
  completion: {
    summary: 'what a shell completes: bash, zsh, fish',
    load: () => import('./verbs/completion.ts'),
  },
  demo: {
    summary: 'a whole run in a scratch repository, with scripted agents',
    load: () => import('./verbs/demo.ts'),
  },
  emit: { summary: 'what a running worker says', load: () => import('./verbs/emit.ts') },
  mcp: { summary: 'the same as tools, for a running agent', load: () => import('./verbs/mcp.ts') },
};
