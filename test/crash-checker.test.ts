/**
 * The checker of the crash runs finds what it is there to find: one run, and for each kind of damage a copy of what it
 * left, damaged.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { attend } from '../crash/attend.ts';
import { checkGuided } from '../crash/check-guided.ts';
import { judge, type Verdict } from '../crash/checker.ts';
import { fingerprint } from '../crash/fingerprint.ts';
import { Fields } from '../crash/log.ts';
import { plans } from '../crash/plans.ts';
import { git, linesOf, makeScratch, remoteOf, startCzar, type Scratch } from '../crash/scratch.ts';

interface Damage {
  readonly name: string;
  readonly finding: RegExp;
  readonly done: (scratch: Scratch) => void;
}

const damages: readonly Damage[] = [
  {
    name: 'an event is missing',
    finding: /^S10: event \d+ of the log has sequence/,
    done: (scratch) => sql(scratch, 'DELETE FROM event WHERE seq = 9'),
  },
  {
    name: 'the derived log lacks a line',
    finding: /^events\.jsonl has/,
    done: ({ repo }) => {
      const file = join(repo, '.czar/logs/events.jsonl');
      writeFileSync(file, `${linesOf(readFileSync(file, 'utf8')).slice(0, -1).join('\n')}\n`);
    },
  },
  {
    name: 'an attempt was launched twice',
    finding: /^S1: .+ was launched 2 times/,
    done: (scratch) => {
      const [first] = side(scratch, 'launches');
      appendFileSync(join(scratch.side, 'launches'), `${first}\n`);
    },
  },
  {
    name: 'an attempt that the log does not know',
    finding: /^ghost: .+ knows no end of it/,
    done: (scratch) => appendFileSync(join(scratch.side, 'launches'), 'r/base/9 1 1\n'),
  },
  {
    name: 'an exit that is not the one of the log',
    finding: /ended with 5, the log says 0/,
    done: (scratch) => {
      const [first = ''] = side(scratch, 'exits');
      appendFileSync(join(scratch.side, 'exits'), `${first.split(' ')[0]} 5\n`);
    },
  },
  {
    name: 'kept work is gone',
    finding: /^S7: (commit .+|drafts\/left .+|left\/open .+) is lost/,
    done: (scratch) => {
      for (const folder of ['.git', '.git/czar/mirror.git'])
        for (const ref of refs(scratch, join(scratch.repo, folder)))
          if (ref.includes('/kept/'))
            git(scratch, join(scratch.repo, folder), 'update-ref', '-d', ref);
    },
  },
  {
    name: 'a commit of an agent that nothing reaches',
    finding: /^S7: commit 1234/,
    done: (scratch) => appendFileSync(join(scratch.side, 'commits'), 'r/base/1 1234\n'),
  },
  {
    name: 'a worker is shown as living',
    finding: /^ghost: top ended as worker\.active/,
    done: (scratch) =>
      sql(
        scratch,
        "UPDATE event SET type = 'worker.active' WHERE type = 'worker.complete' AND worker = 'top'",
      ),
  },
  {
    name: 'a merge without a verdict',
    finding: /^S4: top was merged without a pass of .+ on its merge/,
    done: (scratch) =>
      sql(
        scratch,
        'UPDATE event SET data = replace(data, \'"result":"pass"\', \'"result":"fail"\') WHERE type = \'gate.passed\' AND worker = \'top\'',
      ),
  },
  {
    name: 'a verdict whose check never ran',
    finding: /^S4: top never passed on the merge/,
    done: (scratch) => {
      const others = side(scratch, 'checks').filter((line) => !line.startsWith('top '));
      writeFileSync(join(scratch.side, 'checks'), `${others.join('\n')}\n`);
    },
  },
  {
    name: 'a merge that the log does not have',
    finding: /^S5: integration has/,
    done: (scratch) => {
      const [ref = ''] = refs(scratch, scratch.repo).filter((name) =>
        /^refs\/heads\/.*-integration$/.test(name),
      );
      const made = git(scratch, scratch.repo, 'commit-tree', '-p', ref, '-m', 'x', `${ref}^{tree}`);
      git(scratch, scratch.repo, 'update-ref', ref, made);
    },
  },
  {
    name: 'a merged worker that was merged again',
    finding: /was merged twice/,
    done: (scratch) =>
      sql(
        scratch,
        "UPDATE event SET worker = 'base' WHERE type = 'worker.merged' AND worker = 'top'",
      ),
  },
  {
    name: 'a review that was launched twice',
    finding: /^S1: review .+\/left\/1 was launched 2 times/,
    done: (scratch) => {
      const [first] = side(scratch, 'reviews');
      appendFileSync(join(scratch.side, 'reviews'), `${first}\n`);
    },
  },
  {
    name: 'a review that was acted on twice',
    finding: /^review .+\/left\/1 has 2 ends in the log/,
    done: (scratch) =>
      sql(
        scratch,
        "UPDATE event SET data = replace(data, '\"n\":2', '\"n\":1') WHERE type = 'review.approved' AND worker = 'left'",
      ),
  },
  {
    name: 'a request for changes that sent nobody back',
    finding: /^left was asked for changes 1 times, sent back 0/,
    done: (scratch) =>
      sql(
        scratch,
        "UPDATE event SET data = replace(data, 'rework', 'rest') WHERE type = 'worker.ready' AND worker = 'left'",
      ),
  },
  {
    name: 'a merge that no reviewer approved',
    finding: /^S4: top was merged and nobody approved/,
    done: (scratch) =>
      sql(
        scratch,
        "UPDATE event SET type = 'review.inconclusive' WHERE type = 'review.approved' AND worker = 'top'",
      ),
  },
  {
    name: 'a verdict that no reviewer gave',
    finding: /^review .+\/top\/2 never said approve/,
    done: (scratch) => {
      const others = side(scratch, 'verdicts').filter((line) => !line.includes('/top/'));
      writeFileSync(join(scratch.side, 'verdicts'), `${others.join('\n')}\n`);
    },
  },
  {
    name: 'a teardown that never ran',
    finding: /^base was never torn down/,
    done: (scratch) => {
      const others = side(scratch, 'checks').filter((line) => !line.startsWith('down '));
      writeFileSync(join(scratch.side, 'checks'), `${others.join('\n')}\n`);
    },
  },
  {
    name: 'a branch of the remote beside what was merged',
    finding: /^the remote has refs\/heads\/czar\/.+\/base at \w+, the log at \w+/,
    done: (scratch) => {
      const remote = remoteOf(scratch);
      const [ref = ''] = refs(scratch, remote).filter((name) => name.endsWith('/base'));
      git(scratch, remote, 'update-ref', ref, 'main');
    },
  },
  {
    name: 'a branch of the remote that the log does not know',
    finding: /^the remote has refs\/heads\/czar\/early at \w+, the log at nothing/,
    done: (scratch) =>
      git(scratch, remoteOf(scratch), 'update-ref', 'refs/heads/czar/early', 'main'),
  },
  {
    name: 'a push that the log does not have',
    finding: /^the log has 0 pushes of refs\/heads\/czar\/.+\/top/,
    done: (scratch) =>
      sql(
        scratch,
        "UPDATE event SET data = replace(data, '/top', '/pot') WHERE type = 'refs.pushed'",
      ),
  },
  {
    name: 'the checkout was touched',
    finding: /^S13: the checkout changed: README\.md/,
    done: ({ repo }) => appendFileSync(join(repo, 'README.md'), 'x'),
  },
  {
    name: 'a hook was planted',
    finding: /^S13: the checkout changed: \.git\/hooks\/post-merge/,
    done: ({ repo }) => writeFileSync(join(repo, '.git/hooks/post-merge'), ''),
  },
  {
    name: 'a lock is left',
    finding: /^left: \.git\/czar\/mirror\.git\/packed-refs\.lock/,
    done: ({ repo }) => writeFileSync(join(repo, '.git/czar/mirror.git/packed-refs.lock'), ''),
  },
  {
    name: 'an object is damaged',
    finding: /^the checker cannot go on: .*(corrupt|unpack)/s,
    done: (scratch) => {
      const object = git(scratch, scratch.repo, 'rev-parse', 'HEAD');
      const file = join(scratch.repo, '.git/objects', object.slice(0, 2), object.slice(2));
      rmSync(file, { force: true });
      writeFileSync(file, 'not an object');
    },
  },
];

describe('the checker finds', { skip: process.platform !== 'linux' }, () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'czar-checker-')));
  const launcher = join(import.meta.dirname, '../bin/czar');
  const [diamond] = plans;
  assert.ok(diamond !== undefined);
  let scratch: Scratch;
  let prints: ReadonlyMap<string, string>;
  let clean: Verdict;
  const judged = (one: Scratch): Promise<Verdict> =>
    judge({ scratch: one, before: prints, tree: clean.tree, agentsKilled: false });

  before(async () => {
    scratch = makeScratch(join(base, 'sound'), diamond, launcher);
    prints = fingerprint(scratch);
    await using _user = attend(scratch);
    assert.equal((await startCzar(scratch, ['run']).ended).code, 0);
    clean = await judge({ scratch, before: prints, tree: null, agentsKilled: false });
  });
  after(() => rmSync(base, { recursive: true, force: true }));

  test('nothing wrong with a sound run', () => assert.deepEqual(clean.findings, []));

  for (const { name, finding, done } of damages) {
    test(name, async () => {
      const copy = copyOf(scratch, join(base, name.replaceAll(' ', '-')));
      done(copy);
      const { findings } = await judged(copy);
      assert.ok(
        findings.some((line) => finding.test(line)),
        `among ${findings.length} findings:\n${findings.join('\n')}`,
      );
    });
  }

  test('a process that is left', async () => {
    const child = spawn('sleep', ['60'], { env: { ...scratch.env }, stdio: 'ignore' });
    const { findings } = await judged(scratch);
    child.kill('SIGKILL');
    assert.match(
      findings.join('\n'),
      new RegExp(`^orphan: process ${child.pid} is left: sleep 60`),
    );
  });
});

describe('the checker of a plan that a daemon leads finds', () => {
  const repo = realpathSync(mkdtempSync(join(tmpdir(), 'czar-guided-')));
  const plan = plans.find(({ guided }) => guided !== undefined);
  assert.ok(plan !== undefined);
  const scratch: Scratch = { base: repo, repo, side: repo, plan, env: {}, launcher: '' };
  const told = [
    'approval.requested ask',
    'approval.granted ask',
    'worker.started ask',
    'worker.started spend',
    'budget.exceeded spend',
    'worker.stop_requested spend',
    'plan.amended',
    'budget.raised spend',
    'worker.started spend',
    'approval.granted late',
    'worker.started late',
  ];
  const found = (lines: readonly string[]): readonly string[] =>
    checkGuided(
      { scratch, before: new Map(), tree: null, agentsKilled: false },
      lines.map((line, index) => {
        const [type = '', worker = ''] = line.split(' ');
        const data = new Fields({});
        return { seq: index + 1, run: 'r', worker, attempt: 0, type, data, hash: '' };
      }),
    );
  const without = (line: string): readonly string[] => told.filter((one) => one !== line);
  after(() => rmSync(repo, { recursive: true, force: true }));

  test('nothing wrong with a sound story', () => assert.deepEqual(found(told), []));

  test('a launch that nobody approved, and one after an approval that another launch had', () => {
    assert.deepEqual(found(without('approval.granted ask')), [
      'event 2 starts ask without an approval',
    ]);
    assert.deepEqual(found([...told, 'worker.started late']), [
      'event 12 starts late without an approval',
    ]);
  });

  test('a start that nothing was left for, and a budget that ended nothing', () => {
    assert.match(found(without('budget.raised spend')).join(), /starts spend, whose budget is/);
    assert.deepEqual(found(without('worker.stop_requested spend')), [
      'spend has no worker.stop_requested',
    ]);
  });

  test('a plan that was amended twice', () => {
    assert.deepEqual(found([...told, 'plan.amended']), ['the plan was amended 2 times']);
  });

  test('a daemon that died by itself, and a guardian that gave up', () => {
    mkdirSync(join(repo, '.czar/logs'), { recursive: true });
    mkdirSync(join(repo, '.git/czar'), { recursive: true });
    const log = join(repo, '.czar/logs/daemon.log');
    writeFileSync(log, 'czar: the daemon ended with 137; it is started again in 1 s\n');
    assert.deepEqual(found(told), []);
    appendFileSync(log, 'czar: the daemon ended with 1; it is started again in 2 s\n');
    writeFileSync(join(repo, '.git/czar/guardian-gave-up'), '6 1\n');
    assert.deepEqual(found(told), ['a daemon died with exit code 1', 'left: a guardian gave up']);
  });
});

function copyOf(scratch: Scratch, base: string): Scratch {
  cpSync(scratch.base, base, { recursive: true, verbatimSymlinks: true });
  return { ...scratch, base, repo: join(base, 'repo'), side: join(base, 'side') };
}

/** Changes the log as nothing of the product could. */
function sql({ repo }: Scratch, statement: string): void {
  const db = new DatabaseSync(join(repo, '.git/czar/czar.db'));
  db.exec('DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_removed;');
  db.exec(statement);
  db.close();
}

function side({ side: folder }: Scratch, name: string): readonly string[] {
  return linesOf(readFileSync(join(folder, name), 'utf8'));
}

function refs(scratch: Scratch, folder: string): readonly string[] {
  return linesOf(
    execFileSync('git', ['for-each-ref', '--format=%(refname)'], {
      cwd: folder,
      env: scratch.env,
      encoding: 'utf8',
    }),
  );
}
