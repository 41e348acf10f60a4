/**
 * The three reference plans of the crash runs, as data: the files of a repository, and what the checker needs to know
 * to work out for itself what a merge must have passed. `kit/agent.sh` plays every worker.
 */

/** One worker, as far as it decides what must hold at the end. */
export interface PlannedWorker {
  readonly id: string;
  /** Front matter but for `verify` and `setup`. */
  readonly yaml: readonly string[];
  readonly verify: readonly string[];
  /** Whether something of it is merged in the end. */
  readonly merges: boolean;
}

export interface ReferencePlan {
  readonly name: 'diamond' | 'parallel' | 'chain';
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
      yaml: ['deliverables: [src/base]'],
      verify: [check('base', 'test -f src/base')],
      merges: true,
    },
    {
      id: 'left',
      yaml: ['dependencies: [base]', retry],
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
    {
      id: 'top',
      yaml: ['dependencies: [left, {on: right, inputs: [right/rest]}]'],
      verify: [check('top', 'test -f src/top')],
      merges: true,
    },
  ],
  checks: [],
  setup: [],
  config: [],
  steering: {},
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
  config: ['max_parallel: 3', 'max_parallel_checks: 2'],
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
  steering: {
    draft: ['answer', 'draft', 'in rhyme, please'],
    stuck: ['skip', 'stuck', '--satisfy'],
  },
};

/** The reference plans. */
export const plans: readonly ReferencePlan[] = [diamond, parallel, chain];

/** Files of a repository with the plan, by path. */
export function planFiles(plan: ReferencePlan): Readonly<Record<string, string>> {
  const list = (name: string, commands: readonly string[]): string[] =>
    commands.length === 0 ? [] : [`${name}: ${JSON.stringify(commands)}`];
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
      'grace: 1s',
      'unattended: 60s',
      ...list('checks', plan.checks),
      ...list('setup', plan.setup),
      ...plan.config,
      '',
    ].join('\n'),
  };
  for (const { id, yaml, verify } of plan.workers) {
    files[`.czar/workers/${id}.md`] = [
      '---',
      ...yaml,
      ...list('verify', verify),
      '---',
      `Play ${id}.`,
      '',
    ].join('\n');
  }
  return files;
}
