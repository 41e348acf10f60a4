/**
 * The reference plans of the crash runs, as data: the files of a repository, and what the checker needs to know
 * to work out for itself what a merge must have passed. `kit/agent.sh` plays every worker but `quick`.
 */

/** One worker, as far as it decides what must hold at the end. */
export interface PlannedWorker {
  readonly id: string;
  /** Front matter but for `verify` and `setup`. */
  readonly yaml: readonly string[];
  readonly verify: readonly string[];
  /** Whether something of it is merged in the end. */
  readonly merges: boolean;
  /** Further text below the front matter. */
  readonly body?: string;
}

export interface ReferencePlan {
  readonly name: 'diamond' | 'parallel' | 'chain' | 'guided';
  /** As they are in the end. */
  readonly workers: readonly PlannedWorker[];
  /** Commands on the combined tree of each merge. */
  readonly checks: readonly string[];
  /** Prepares every tree. */
  readonly setup: readonly string[];
  /** Further lines of the configuration. */
  readonly config: readonly string[];
  /** What the driver does for a worker that waits for a person: arguments of `czar`. */
  readonly steering: Readonly<Record<string, readonly string[]>>;
  /** Files that are not committed when the first start comes, by path. */
  readonly dirty?: Readonly<Record<string, string>>;
  /** Arguments of each start. */
  readonly run?: readonly string[];
  /** It pushes: there is a bare repository beside the checkout, `origin`. */
  readonly hasRemote?: true;
  /** What the user commits on `main` while the run waits, by path; it is brought in with `czar sync`. */
  readonly meanwhile?: Readonly<Record<string, string>>;
  /** What the user types once a reviewer has written `asked-<worker>` into the side folder: it is still looking. */
  readonly overruled?: Readonly<Record<string, readonly string[]>>;
  /** A daemon leads it, and its user approves, raises budgets and amends. */
  readonly guided?: {
    /** Workers as they are until the user amends the plan; null where there is none yet. */
    readonly before: Readonly<Record<string, PlannedWorker | null>>;
    /** The worker whose end gives the word for that. */
    readonly amendAfter: string;
    readonly approved: readonly string[];
    readonly budgeted: readonly string[];
  };
}

/** A check of the kit: `name` marks its passes in the side folder. */
function check(name: string, command: string): string {
  return `sh "$CRASH_KIT/check.sh" ${name} ${command}`;
}

const retry = 'retry: {max_attempts: 2, initial: 10ms}';

const diamond: ReferencePlan = {
  name: 'diamond',
  workers: [
    {
      id: 'base',
      yaml: [
        'deliverables: [src/base]',
        `teardown: ${JSON.stringify([check('down', 'test -f src/base')])}`,
      ],
      verify: [check('base', 'test -f src/base')],
      merges: true,
    },
    {
      id: 'left',
      yaml: ['dependencies: [base]', retry, 'review: agent'],
      verify: [check('left', 'test -f left/a -a ! -f left/half')],
      merges: true,
    },
    {
      id: 'right',
      yaml: ['dependencies: [base]'],
      verify: [
        check('right', 'test -f right/rest'),
        check('right-deep', 'test -f right/deep/rest'),
      ],
      merges: true,
    },
    // Over within a moment, so that its start and its end are one durable step.
    { id: 'quick', yaml: ['agent: quick', 'workspace: empty'], verify: [], merges: false },
    {
      id: 'top',
      yaml: ['dependencies: [left, {on: right, inputs: [right/rest]}]', 'review: agent'],
      verify: [check('top', 'test -f src/top')],
      merges: true,
    },
  ],
  checks: [],
  setup: [],
  config: ['push: true', 'merge_queue: speculative'],
  steering: {},
  hasRemote: true,
  overruled: { top: ['review', 'top', '--request-changes', '-m', 'sign it'] },
};

const parallel: ReferencePlan = {
  name: 'parallel',
  workers: [
    ...['one', 'two', 'three', 'four'].map((id) => ({
      id,
      yaml: [
        // Three and four may not run side by side.
        `owns: [${id}/**${id === 'three' || id === 'four' ? ', shared/**' : ''}]`,
        `retry: {max_attempts: 2, initial: 10ms, from: ${id === 'two' ? 'continue' : 'clean'}}`,
      ],
      verify: [check(id, `test -f ${id}/rest`)],
      merges: true,
    })),
    {
      id: 'join',
      yaml: ['dependencies: all', 'owns: [join/**]'],
      verify: [check('join', 'test -f join/list')],
      merges: true,
    },
  ],
  checks: [check('all', 'test -f build/ready'), check('shared', 'test -f README.md')],
  setup: ['mkdir -p build', 'touch build/ready'],
  config: ['max_parallel: 3', 'max_parallel_checks: 2', 'merge_queue: batch'],
  steering: {},
};

const chain: ReferencePlan = {
  name: 'chain',
  workers: [
    {
      id: 'notes',
      yaml: ['workspace: empty', 'handoff: required', 'deliverables: [notes.txt]'],
      verify: ['test -f notes.txt'],
      merges: false,
    },
    {
      id: 'draft',
      yaml: ['dependencies:', '  - {on: notes, kind: knowledge}'],
      verify: [check('draft', 'test -f draft/text')],
      merges: true,
    },
    {
      id: 'maybe',
      yaml: [
        'dependencies:',
        '  - {on: notes, kind: knowledge}',
        'when: workers.notes.state == "failed"',
      ],
      verify: [],
      merges: false,
    },
    { id: 'stuck', yaml: [], verify: [], merges: false },
    {
      id: 'review',
      yaml: [
        'dependencies:',
        '  - {on: draft, kind: sequential}',
        '  - {on: maybe, kind: sequential, allow_skipped: true}',
        '  - {on: stuck, kind: sequential}',
      ],
      verify: [check('review', 'test -f review/log')],
      merges: true,
    },
    {
      id: 'end',
      yaml: ['dependencies: [review]'],
      verify: [check('end', 'test -f end/uncommitted')],
      merges: true,
    },
  ],
  checks: [],
  setup: [],
  config: ['max_parallel: 2', 'isolation: worktree'],
  dirty: { 'README.md': '# chain, as it is being written\n', 'loose.txt': 'not committed\n' },
  run: ['--include-dirty'],
  meanwhile: { 'meanwhile.txt': 'committed while the run waited\n' },
  steering: {
    draft: ['answer', 'draft', 'in rhyme, please'],
    stuck: ['skip', 'stuck', '--satisfy'],
  },
};

const guided: ReferencePlan = {
  name: 'guided',
  workers: [
    {
      id: 'ask',
      yaml: ['approve: true', 'deliverables: [ask/done]'],
      verify: [check('ask', 'test -f ask/done')],
      merges: true,
    },
    {
      id: 'spend',
      yaml: ['budget: {limit: 1000}'],
      verify: [check('spend', 'test -f spend/whole')],
      merges: true,
    },
    {
      id: 'late',
      yaml: ['approve: true', 'dependencies: [ask, spend]'],
      verify: [check('late', 'test -f late/text')],
      merges: true,
      body: 'As amended.',
    },
    {
      id: 'extra',
      yaml: ['dependencies: [ask]'],
      verify: [check('extra', 'test -f extra/done')],
      merges: true,
    },
    {
      id: 'close',
      yaml: ['dependencies: [late, extra]'],
      verify: [check('close', 'test -f close/done')],
      merges: true,
    },
  ],
  checks: [],
  setup: [],
  config: ['max_parallel: 2'],
  steering: {},
  guided: {
    before: {
      late: { id: 'late', yaml: ['dependencies: [ask, spend]'], verify: [], merges: true },
      extra: null,
      close: { id: 'close', yaml: ['dependencies: [late]'], verify: [], merges: true },
    },
    amendAfter: 'ask',
    approved: ['ask', 'late'],
    budgeted: ['spend'],
  },
};

/** The reference plans. */
export const plans: readonly ReferencePlan[] = [diamond, parallel, chain, guided];

/** Files of a repository with the plan, by path. */
export function planFiles(plan: ReferencePlan): Readonly<Record<string, string>> {
  const files: Record<string, string> = {
    'README.md': `# ${plan.name}\n`,
    '.gitignore': 'build/\n',
    '.czar/config.yaml': [
      'agents:',
      '  default: scripted',
      '  define:',
      '    scripted:',
      '      adapter: command',
      // No path of the scratch folder: the tree must be the same in each.
      `      command: [/bin/sh, -c, 'exec sh "$CRASH_KIT/agent.sh"']`,
      '      env: [CRASH_SIDE, CRASH_KIT]',
      '    quick:',
      '      adapter: command',
      `      command: [/bin/sh, -c, 'exec sh "$CRASH_KIT/quick.sh"']`,
      '      env: [CRASH_SIDE, CRASH_KIT]',
      'grace: 1s',
      'unattended: 60s',
      ...list('checks', plan.checks),
      ...list('setup', plan.setup),
      ...plan.config,
      '',
    ].join('\n'),
  };
  for (const worker of plan.workers) {
    const { [worker.id]: first = worker } = plan.guided?.before ?? {};
    if (first !== null) files[workerFile(worker)] = workerText(first);
  }
  return files;
}

/** What the user writes when the plan is amended, by path. */
export function amendedFiles(plan: ReferencePlan): Readonly<Record<string, string>> {
  const before = plan.guided?.before ?? {};
  return Object.fromEntries(
    plan.workers
      .filter(({ id }) => Object.hasOwn(before, id))
      .map((worker) => [workerFile(worker), workerText(worker)]),
  );
}

function workerFile({ id }: PlannedWorker): string {
  return `.czar/workers/${id}.md`;
}

function workerText({ id, yaml, verify, body }: PlannedWorker): string {
  const lines = ['---', ...yaml, ...list('verify', verify), '---', `Play ${id}.`];
  return [...lines, ...(body === undefined ? [] : [body]), ''].join('\n');
}

function list(name: string, commands: readonly string[]): readonly string[] {
  return commands.length === 0 ? [] : [`${name}: ${JSON.stringify(commands)}`];
}
