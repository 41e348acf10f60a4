/** Outcomes of effects, for tests that drive the core by hand. */
import type { Outcome } from '../../src/core/commands.ts';
import type { AttemptEnd, Judgement, TreeGate, TreeVerdict } from '../../src/core/events.ts';
import type { Intent } from '../../src/core/intents.ts';

/** An attempt's end with what it means. */
export function endOf(
  intent: Extract<Intent, { attempt: number }>,
  end: AttemptEnd,
  lastWords: readonly string[] = [],
): Outcome {
  return { ...attempt(intent), kind: 'attempt-ended', end, judgement: meaning(end), lastWords };
}

function meaning(end: AttemptEnd): Judgement {
  if (end.how === 'lost') return { kind: 'lost', why: end.why };
  if (end.how === 'exited' && end.code === 0) return { kind: 'well' };
  const mayRepeat = end.how === 'exited' || end.why === 'timeout';
  return mayRepeat
    ? { kind: 'failed', reason: `it ended with ${end.how}`, final: false }
    : { kind: 'lost', why: end.why };
}

/** The outcome of an effect that went well. */
export function success(intent: Intent): Outcome {
  const { run } = intent;
  switch (intent.kind) {
    case 'prepare-run':
      return { kind: 'run-prepared', run, commit: intent.base };
    case 'check-inputs':
      return { kind: 'inputs-checked', run, worker: intent.worker, missing: [] };
    case 'prepare-tree':
      return {
        ...attempt(intent),
        kind: 'tree-prepared',
        branch: intent.branch,
        worktree: `/w/${intent.worker}`,
        base: intent.commit,
        kept: [],
      };
    case 'tend-tree': {
      const { worker, branch, commit } = intent;
      if (intent.want === 'removed')
        return { kind: 'tree-removed', run, worker, branch: true, kept: [] };
      const made = { branch, worktree: `/w/${worker}`, base: commit, kept: [] };
      return { kind: 'tree-made', run, worker, ...made };
    }
    case 'setup':
      return { ...attempt(intent), kind: 'setup-passed' };
    case 'launch':
      return { ...attempt(intent), kind: 'launched', process: { pid: 100, start: '1', boot: 'b' } };
    case 'watch':
      return endOf(intent, { how: 'exited', code: 0 });
    case 'answer':
      return { ...attempt(intent), kind: 'answer-delivered', id: intent.id };
    case 'stop':
      return endOf(intent, { how: 'stopped', why: intent.why, code: null });
    case 'collect':
      return { ...attempt(intent), kind: 'collected', kept: [], work: workOf(intent) };
    case 'teardown':
      return { ...attempt(intent), kind: 'torn-down', failures: [] };
    case 'judge':
      return {
        kind: 'judged',
        run,
        worker: intent.worker,
        verdicts: [
          {
            gate: 'deliverables',
            result: 'pass',
            tip: intent.key.split(':')[3] ?? '',
            patch: 'p',
            definition: `h-${intent.worker}`,
            findings: [],
            files: [],
          },
        ],
      };
    case 'check':
      return {
        kind: 'checked',
        run,
        subject: intent.subject,
        worker: intent.worker,
        verdicts: intent.gates.map((gate) => treeVerdict(intent.tree, gate, 'pass')),
      };
    case 'review':
      return { ...reviewOf(intent), said: approval, usage: null };
    case 'end-review':
      return { ...reviewOf(intent), said: notNeeded, usage: null };
    case 'build-merge':
      return {
        kind: 'merge-built',
        run,
        worker: intent.worker,
        base: intent.base,
        tip: intent.tip,
        commit: `m(${intent.base}+${intent.tip})`,
        tree: `tree(${intent.base}+${intent.tip})`,
      };
    case 'commit-merge':
      return {
        kind: 'merge-committed',
        run,
        worker: intent.worker,
        commit: intent.commit,
        merged: [...intent.ahead, intent].map(({ worker, commit, tree }) => ({
          worker,
          commit,
          tree,
          files: { created: 1, modified: 0, deleted: 0 },
          commits: 1,
        })),
      };
    case 'publish':
      return { kind: 'published', run, refs: intent.refs, diverged: {} };
    case 'push':
      return { kind: 'pushed', run, remote: 'origin', refs: intent.refs, left: {} };
    case 'build-landing':
      return {
        ...landing,
        run,
        date: intent.date,
        tree: `landing-tree(${intent.onto}+${intent.tip})`,
      };
    case 'commit-landing':
      return { kind: 'landed', run, commit: intent.commit };
  }
}

const landing = { kind: 'landing-built', commit: 'landing' } as const;
const approval = { kind: 'verdict', result: 'approve', text: '', findings: [] } as const;
const notNeeded = { kind: 'none', reason: 'stopped', notBefore: null, counts: false } as const;

function reviewOf({ run, worker, n }: Extract<Intent, { n: number }>) {
  return { kind: 'reviewed', run, worker, n } as const;
}

export function treeVerdict(
  tree: string,
  gate: TreeGate,
  result: TreeVerdict['result'],
): TreeVerdict {
  return {
    gate: gate.gate,
    result,
    tree,
    command: gate.command,
    setup: gate.setup,
    findings: result === 'pass' ? [] : [`${gate.command} is ${result}`],
    log: null,
    durationMs: 1,
  };
}

type Attempt = Extract<Intent, { attempt: number }>;

function attempt(intent: Attempt): Pick<Attempt, 'run' | 'worker' | 'attempt'> {
  return { run: intent.run, worker: intent.worker, attempt: intent.attempt };
}

function workOf(
  intent: Extract<Intent, { kind: 'collect' }>,
): NonNullable<Extract<Outcome, { kind: 'collected' }>['work']> {
  const tip = `${intent.worker}.${intent.attempt}`;
  return {
    tip,
    base: intent.integration,
    tree: `tree(${tip})`,
    patch: `patch(${tip})`,
    commits: 1,
    changed: [{ path: `${intent.worker}.txt`, status: 'A', before: '', after: tip }],
    committedFor: null,
    kept: [],
  };
}
