import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TreeGate, TreeVerdict } from '../core/events.ts';
import { judgeEmptyWorkspace } from './empty-workspace.ts';
import { checkRoot } from './check-environment.ts';
import { checkMark } from './leftovers.ts';
import { judgeFolder, runChecks, type Checks, type ChecksOutcome } from './tree-gates.ts';
import { listProcesses, readEnvironment, systemFacts } from '../process/table.ts';
import { aDefinition } from './testing.ts';

test('fault 76: a command that is known to be flaky is tried again on the same tree, and the verdict says so; without that it fails', async (t) => {
  const { run, root } = await bench(t);
  const flaky = `echo x >> ${root}/tries; [ "$(wc -l < ${root}/tries)" -ge 2 ] || { echo not yet; exit 1; }`;
  const [verdict] = verdictsOf(await run([flaky], { retries: 2 }));
  assert.equal(verdict?.result, 'pass');
  assert.equal(verdict.tries, 2);
  assert.deepEqual(verdict.findings, [flaky, 'exit 1', 'not yet'], 'what failed stays on record');
  const [red] = verdictsOf(await run(['exit 1'], { retries: 1 }));
  assert.deepEqual([red?.result, red?.tries], ['fail', 2]);
  const [once] = verdictsOf(await run(['exit 1']));
  assert.deepEqual([once?.result, once?.tries], ['fail', undefined]);
  const [killed] = verdictsOf(await run(['kill -9 $$'], { retries: 1 }));
  assert.deepEqual([killed?.result, killed?.tries], ['inconclusive', 2], 'never a pass');
  const hangs = `echo x >> ${root}/hangs; [ "$(wc -l < ${root}/hangs)" -ge 2 ] || exec sleep 60`;
  const [hung] = verdictsOf(await run([hangs], { retries: 1, timeoutMs: 500, graceMs: 100 }));
  assert.deepEqual([hung?.result, hung?.tries], ['pass', 2]);
});

test('a command in quarantine runs, and its verdict says that it judged nothing', async (t) => {
  const { run } = await bench(t);
  const verdicts = verdictsOf(
    await run(['exit 1', 'exit 2', 'true'], { quarantine: ['exit 1', 'true'] }),
  );
  assert.deepEqual(
    verdicts.map(({ result, quarantined }) => [result, quarantined]),
    [
      ['fail', true],
      ['fail', undefined],
      ['pass', undefined],
    ],
  );
});

function verdictsOf(outcome: ChecksOutcome): readonly TreeVerdict[] {
  assert.ok(outcome.kind === 'judged');
  return outcome.verdicts;
}

interface Bench {
  readonly root: string;
  readonly source: string;
  readonly run: (commands: readonly string[], given?: Given) => Promise<ChecksOutcome>;
}

interface Given extends Partial<Checks> {
  readonly setup?: readonly string[];
}

async function bench(t: TestContext): Promise<Bench> {
  const root = await mkdtemp(join(tmpdir(), 'czar-gates-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const source = join(root, 'source');
  await mkdir(source);
  return {
    root,
    source,
    run: (commands, given = {}) =>
      runChecks({
        ...ofCommands(root, commands, given),
        cacheDir: join(root, 'cache'),
        makeTree: async (dir) => {
          await cp(source, dir, { recursive: true });
          return { ok: true };
        },
        removeTree: (dir) => rm(dir, { recursive: true, force: true }),
        ...given,
      }),
  };
}

function ofCommands(root: string, commands: readonly string[], { setup = [] }: Given) {
  return {
    id: 'one',
    tree: 'tree-1',
    gates: commands.map((command): TreeGate => ({
      gate: 'verify',
      command,
      setup,
      owner: 'alpha',
    })),
    env: { PATH: process.env['PATH'], HOME: root },
    mark: checkMark(root),
    timeoutMs: 10_000,
    graceMs: 100,
    logs: {
      dir: join(root, 'home', 'logs', 'checks'),
      home: join(root, 'home'),
      redact: (text: string) => text,
    },
    signal: new AbortController().signal,
  };
}

function judged(outcome: ChecksOutcome) {
  assert.equal(outcome.kind, 'judged');
  return outcome.kind === 'judged' ? outcome.verdicts : [];
}

test('a check passes on exit 0, fails otherwise, and its last lines are the findings word for word', async (t) => {
  const { run, root } = await bench(t);
  const verdicts = judged(
    await run([
      'true',
      `i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo "line $i"; done; printf '\\033[31mred\\033[0m' >&2; exit 3`,
    ]),
  );
  assert.deepEqual(
    verdicts.map(({ result }) => result),
    ['pass', 'fail'],
  );
  const findings = verdicts[1]?.findings ?? [];
  assert.equal(findings[1], 'exit 3');
  assert.equal(findings.length, 2 + 40);
  assert.deepEqual(findings.slice(-2), ['line 60', 'red']);
  const log = await readFile(join(root, 'home', verdicts[1]?.log ?? ''), 'utf8');
  assert.match(log, /line 1\n[^]*exit 3/);
});

test('a check that is killed, hangs or cannot run is inconclusive', async (t) => {
  const { run } = await bench(t);
  const verdicts = judged(
    await run(
      ['kill -9 $$', 'sh -c "kill -9 \\$\\$"; exit $?', 'no-such-program', 'exec sleep 60'],
      { timeoutMs: 700 },
    ),
  );
  assert.deepEqual(
    verdicts.map(({ result }) => result),
    Array(4).fill('inconclusive'),
  );
  assert.match(verdicts[3]?.findings[1] ?? '', /did not end within 0\.7 s/);
});

test('a setup that fails makes every check inconclusive, whatever it would have said', async (t) => {
  const { run } = await bench(t);
  const verdicts = judged(
    await run(['true', 'false'], { setup: ['echo cannot install; exit 1', 'true'] }),
  );
  assert.deepEqual(
    verdicts.map(({ result }) => result),
    ['inconclusive', 'inconclusive'],
  );
  assert.deepEqual(verdicts[0]?.findings, [
    'setup: echo cannot install; exit 1',
    'exit 1',
    'cannot install',
  ]);
});

test('a dependency comes from setup only, never from a node_modules of the checkout around it', async (t) => {
  const { run, root, source } = await bench(t);
  await mkdir(join(root, 'node_modules', 'dep'), { recursive: true });
  await writeFile(join(root, 'node_modules', 'dep', 'index.js'), 'module.exports = "poisoned"');
  await writeFile(join(source, 'check.cjs'), 'process.exit(require("dep") === "clean" ? 0 : 1)');
  const setup = [
    'mkdir -p node_modules/dep && echo "module.exports = \'clean\'" > node_modules/dep/index.js',
  ];
  const env = {
    PATH: process.env['PATH'],
    HOME: root,
    NODE_PATH: join(root, 'node_modules'),
    CZAR_WORKER: 'x',
  };
  const cacheDir = await mkdtemp(join(tmpdir(), 'czar-cache-'));
  t.after(() => rm(cacheDir, { recursive: true, force: true }));
  const without = judged(await run(['node check.cjs'], { env, cacheDir }));
  assert.equal(without[0]?.result, 'fail');
  const withSetup = judged(
    await run(['node check.cjs && test -z "$CZAR_WORKER"'], { env, cacheDir, setup }),
  );
  assert.equal(withSetup[0]?.result, 'pass', withSetup[0]?.findings.join('\n'));
});

test('aborted checks have no verdict and leave no folder behind', async (t) => {
  const { run, root } = await bench(t);
  const abort = new AbortController();
  const outcome = run(['exec sleep 60'], {
    signal: abort.signal,
    makeTree: async (dir) => {
      await mkdir(dir, { recursive: true });
      setImmediate(() => abort.abort());
      return { ok: true };
    },
  });
  assert.deepEqual(await outcome, { kind: 'aborted' });
  assert.deepEqual(await readdir(join(root, 'cache')), []);
});

test('a tree that cannot be made is no verdict', async (t) => {
  const { run } = await bench(t);
  const outcome = await run(['true'], {
    makeTree: async () => ({ ok: false, error: 'disk full' }),
  });
  assert.deepEqual(outcome, { kind: 'no-tree', error: 'disk full' });
});

test('what a check leaves running is ended with it', async (t) => {
  const { run, root } = await bench(t);
  judged(await run([`sleep 60 & echo $! > ${root}/pid`]));
  const pid = Number(await readFile(join(root, 'pid'), 'utf8'));
  await gone(pid);
});

const skip = process.platform === 'linux' ? false : 'the platform does not show environments';

/** Goes on in a session of its own, minds no SIGTERM, and has its pid in a file of its name once it is up. */
function server(name: string): string {
  const loop = `trap "" TERM; echo $$ >${name}; while :; do sleep 600; done`;
  return `setsid sh -c '${loop}' >/dev/null 2>&1 </dev/null &\nuntil [ -s ${name} ]; do sleep 0.02; done\n`;
}

/** Whether it runs, as a command. */
const runs = (name: string): string =>
  `case "$(cat /proc/$(cat ${name})/stat 2>/dev/null)" in ''|*') Z '*) exit 1;; esac`;

/** Pids of what carries a mark of the repository's checks. */
function marked(root: string): readonly number[] {
  const entry = `CZAR_ATTEMPT_KEY=${checkMark(root)}`;
  return (listProcesses(systemFacts) ?? [])
    .map(({ pid }) => pid)
    .filter((pid) => readEnvironment(pid, systemFacts)?.some((item) => item.startsWith(entry)));
}

test(
  'what a check left in a session of its own is ended before the next one begins, also when it took too long',
  { skip },
  async (t) => {
    const { run, root } = await bench(t);
    const slow = `${server('two')}exec sleep 600`;
    const verdicts = judged(
      await run([`${server('one')}exit 0`, runs('one'), slow, runs('two')], { timeoutMs: 3_000 }),
    );
    assert.deepEqual(
      verdicts.map(({ result }) => result),
      ['pass', 'fail', 'inconclusive', 'fail'],
    );
    assert.deepEqual(marked(root), []);
  },
);

test(
  'a check that is aborted leaves nothing, in whatever session; one at the same time goes on',
  { skip },
  async (t) => {
    const { run, root, source } = await bench(t);
    const abort = new AbortController();
    const changes = watch(source);
    const up = `until [ -e ${source}/aborted ]; do sleep 0.02; done\n`;
    const other = run([`${server('kept')}${up}${runs('kept')}`], { id: 'other' });
    const outcome = run([`${server('deep')}: >${source}/up\nexec sleep 600`], {
      signal: abort.signal,
    });
    for await (const { filename } of changes) if (filename === 'up') break;
    abort.abort();
    assert.deepEqual(await outcome, { kind: 'aborted' });
    await writeFile(join(source, 'aborted'), '');
    assert.equal(judged(await other)[0]?.result, 'pass');
    assert.deepEqual(marked(root), []);
  },
);

test(
  'a server that the setup puts up serves all checks of its tree and is ended with it; in an agent’s tree it stays',
  { skip },
  async (t) => {
    const { run, root, source: dir } = await bench(t);
    const setup = [server('db')];
    const verdicts = judged(await run([runs('db'), runs('db')], { setup }));
    assert.deepEqual(
      verdicts.map(({ result }) => result),
      ['pass', 'pass'],
    );
    assert.deepEqual(marked(root), []);
    const stays = { dir, tmp: dir, setupStays: true };
    judged(
      await judgeFolder({
        ...ofCommands(root, ['true'], { setup: [server('bad'), 'exit 1'] }),
        ...stays,
      }),
    );
    assert.deepEqual(marked(root), [], 'nobody works where the setup failed');
    judged(await judgeFolder({ ...ofCommands(root, ['true'], { setup }), ...stays }));
    const kept = Number(await readFile(join(dir, 'db'), 'utf8'));
    assert.ok(marked(root).includes(kept));
    process.kill(-kept, 'SIGKILL');
  },
);

async function gone(pid: number): Promise<void> {
  for (const until = Date.now() + 5_000; Date.now() < until;) {
    try {
      process.kill(pid, 0);
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ' Z ');
      if (/\) Z /.test(stat) || stat === ' Z ') return;
    } catch {
      return;
    }
    await new Promise(setImmediate);
  }
  assert.fail(`process ${pid} is still there`);
}

test('check trees stand in the cache folder of the user', () => {
  assert.equal(checkRoot({ XDG_CACHE_HOME: '/c', HOME: '/h' }), '/c/czar/checks');
  assert.equal(checkRoot({ XDG_CACHE_HOME: 'relative', HOME: '/h' }), '/h/.cache/czar/checks');
});

test('a worker without a repository is judged in its folder', async (t) => {
  const { source: dir } = await bench(t);
  const definition = aDefinition({
    workspace: 'empty',
    deliverables: ['report.md', 'WORKER_IDENTITY.md', 'out/'],
  });
  await mkdir(join(dir, 'out', 'deep'), { recursive: true });
  for (const name of ['report.md', 'WORKER_IDENTITY.md', 'out/deep/a'])
    await writeFile(join(dir, name), 'x');
  const [deliverables, handoff] = await judgeEmptyWorkspace({
    definition,
    dir,
    handoffGiven: false,
  });
  assert.deepEqual(deliverables?.files, ['WORKER_IDENTITY.md']);
  assert.equal(handoff?.result, 'pass');
});
