/**
 * The checker of the crash runs finds what it is there to find: one run, and for each kind of damage a copy of what it
 * left, damaged.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
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
import { judge, type Verdict } from '../crash/checker.ts';
import { fingerprint } from '../crash/fingerprint.ts';
import { plans } from '../crash/plans.ts';
import { git, linesOf, makeScratch, startCzar, type Scratch } from '../crash/scratch.ts';

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
