import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCommand } from '../process/run.ts';
import { writeAnswer } from '../process/answer-file.ts';
import { parseReportLine } from '../process/report-file.ts';
import { readLines } from '../process/tail.ts';
import { attemptFiles, lastWords, writeAttemptFiles } from './attempt-files.ts';
import type { AttemptFiles } from './attempt-files.ts';
import { emit, waitForAnswer } from './emit.ts';
import { launcherScript, shellQuote } from './shell-functions.ts';

const home = mkdtempSync(join(tmpdir(), "czar-emit's "));
after(() => rmSync(home, { recursive: true, force: true }));
let attempts = 0;
const permissions = { policy: 'work', allow: [], tree: home, afterMs: 0 } as const;

/** What `czar` is in these tests: this module of the source, run by this Node. */
const emitProgram = join(home, 'czar.mjs');
writeFileSync(
  emitProgram,
  `import { emit } from ${JSON.stringify(import.meta.resolve('./emit.ts'))};
   const result = emit(process.argv.slice(3), process.env);
   process.stdout.write(result.stdout);
   process.stderr.write(result.stderr);
   process.exitCode = result.exit;`,
);

function attempt(): AttemptFiles {
  const files = attemptFiles({ home, run: 'r', worker: 'w', attempt: (attempts += 1) });
  writeAttemptFiles({
    home,
    files,
    prompt: 'the prompt',
    permissions,
    launcher: [[process.execPath, emitProgram]],
  });
  return files;
}

function reports(files: AttemptFiles): readonly unknown[] {
  const { lines } = readLines({ path: files.reportFile, offset: 0 });
  return lines.map((line) => parseReportLine(line.text)).filter((report) => report !== null);
}

function envOf(files: AttemptFiles): NodeJS.ProcessEnv {
  return {
    PATH: `${files.binDir}:/usr/bin:/bin`,
    CZAR_REPORT_FILE: files.reportFile,
    CZAR_SHELL: files.shellFile,
  };
}

test('every kind is recorded as it was said', () => {
  const files = attempt();
  const say = (...argv: string[]): void => {
    const result = emit(argv, envOf(files), () => 'from\ninput\0');
    assert.equal(result.exit, 0, result.stderr);
  };
  say('task-start', 'Task 1.1: "extract"');
  say('task-complete', 'several', 'words');
  say('checkpoint', '--', '--half');
  say('blocked', 'no\naccess');
  say('ask', 'which?');
  say('handoff', '-');
  const closeout = join(home, 'closeout.md');
  writeFileSync(closeout, '# Closeout\n\nall is well\n');
  say('handoff', '--file', closeout);
  say('handoff', `--file=${closeout}`);
  say('handoff', '--', '--file', 'is a word here');
  say('usage', '--input-tokens', '10', '--output-tokens=5', '--cost-usd', '1e-2');
  say('usage', '--input-tokens', '10', '--model', 'claude-x');
  assert.deepEqual(reports(files), [
    { kind: 'task-start', task: 'Task 1.1: "extract"' },
    { kind: 'task-complete', task: 'several words' },
    { kind: 'checkpoint', name: '--half' },
    { kind: 'blocked', text: 'no\naccess' },
    { kind: 'ask', text: 'which?' },
    { kind: 'handoff', text: 'from\ninput\0' },
    { kind: 'handoff', text: '# Closeout\n\nall is well\n' },
    { kind: 'handoff', text: '# Closeout\n\nall is well\n' },
    { kind: 'handoff', text: '--file is a word here' },
    { kind: 'usage', usage: { input: 10, output: 5, cached: 0, costUsd: 0.01 } },
    {
      kind: 'usage',
      usage: { input: 10, output: 0, cached: 0, costUsd: 0 },
      model: 'claude-x',
    },
  ]);
});

test('what agents must do after a question is said', () => {
  const files = attempt();
  assert.match(emit(['ask', 'which?'], envOf(files)).stdout, /End your turn/);
  assert.equal(emit(['checkpoint', 'x'], envOf(files)).stdout, '');
});

test('how to use it is said anywhere, and a text may still begin with dashes', () => {
  const { exit, stdout } = emit(['--help'], {});
  assert.equal(exit, 0);
  assert.match(stdout, /usage: czar emit task-start/);
  const files = attempt();
  assert.equal(emit(['checkpoint', '--help'], envOf(files)).stdout, '');
});

test('outside an attempt and after its folder is gone emit is refused with exit 4', () => {
  assert.equal(emit(['checkpoint', 'x'], {}).exit, 4);
  const gone = emit(['checkpoint', 'x'], { CZAR_REPORT_FILE: join(home, 'gone', 'report') });
  assert.equal(gone.exit, 4);
  const asks = emit(['ask', '--wait', '1h', 'x'], { CZAR_REPORT_FILE: join(home, 'gone/report') });
  assert.deepEqual([asks.exit, asks.waits], [4, undefined]);
  assert.equal(existsSync(join(home, 'gone')), false);
});

test('ask --wait waits for the answer where it is, and gives it as it was said', async () => {
  const files = attempt();
  const { attemptDir } = files;
  for (const [n, argv] of [
    ['ask', '--wait', '1h30m', 'which', 'one?'],
    ['ask', '--wait=5400s', '--', 'which one?'],
  ].entries()) {
    const { exit, stdout, waits } = emit(argv, envOf(files));
    assert.deepEqual([exit, stdout], [0, '']);
    const id = waits?.id ?? '';
    assert.deepEqual(reports(files)[n], {
      kind: 'ask',
      text: 'which one?',
      wait: { id, ms: 5_400_000 },
    });
    const waiting = waitForAnswer(waits ?? assert.fail());
    writeAnswer(attemptDir, id, { decision: 'allow', text: 'the "second"\n' });
    assert.deepEqual(await waiting, { exit: 0, stdout: 'the "second"\n\n', stderr: '' });
  }
  assert.equal(reports(files).length, 2);
});

test('ask --wait ends with 5 when nobody answers, and says that nobody waits any more', async () => {
  const files = attempt();
  const none = async (argv: readonly string[], signal?: AbortSignal): Promise<string> => {
    const { waits } = emit(argv, envOf(files));
    const { exit, stderr } = await waitForAnswer(waits ?? assert.fail(), signal);
    assert.equal(exit, 5);
    assert.match(stderr, /nobody answered in time/);
    return waits?.id ?? '';
  };
  const late = await none(['ask', '--wait', '1ms', 'which?']);
  assert.deepEqual(reports(files).at(-1), { kind: 'gave-up', id: late });
  const off = await none(['ask', '--wait', '7d', 'which?'], AbortSignal.abort());
  assert.deepEqual(reports(files).at(-1), { kind: 'gave-up', id: off });
  const told = emit(['ask', '--wait', '1h', 'which?'], envOf(files)).waits ?? assert.fail();
  writeAnswer(files.attemptDir, told.id, { decision: 'deny', text: 'Nobody.' });
  assert.equal((await waitForAnswer(told)).exit, 5);
  assert.notDeepEqual(reports(files).at(-1), { kind: 'gave-up', id: told.id });
});

test('wrong usage is exit 2, and nothing is recorded', () => {
  const files = attempt();
  const exit = (...argv: string[]): number => emit(argv, envOf(files)).exit;
  for (const span of ['', '10', 'm', '-1m', '0s', '10m5', '8d', '1e3s', '9999999999ms'])
    assert.equal(exit('ask', '--wait', span, 'which?'), 2, span);
  assert.equal(exit('ask', '--wait=10m'), 2);
  assert.equal(exit('ask', '--wait', '10m', '--', ''), 2);
  assert.equal(exit(), 2);
  assert.equal(exit('merge', 'x'), 2);
  assert.equal(exit('checkpoint'), 2);
  assert.equal(exit('checkpoint', ''), 2);
  assert.equal(exit('checkpoint', '--name', 'x'), 2);
  assert.equal(exit('handoff', 'x'.repeat(70_000)), 2);
  assert.equal(exit('handoff', '--file'), 2);
  assert.equal(exit('handoff', '--file', join(home, 'missing')), 1);
  assert.equal(exit('handoff', '--file', home), 1);
  const long = join(home, 'long.md');
  writeFileSync(long, 'x'.repeat(70_000));
  assert.equal(exit('handoff', '--file', long), 2);
  for (const args of [
    [],
    ['--input-tokens'],
    ['--input-tokens', ''],
    ['--input-tokens', '-5'],
    ['--input-tokens', '0x10'],
    ['--input-tokens', 'NaN'],
    ['--input-tokens', '1e13'],
    ['--cost-usd', 'Infinity'],
    ['--tokens', '5'],
    ['--input-tokens', '5', '--model'],
    ['--input-tokens', '5', '--model', 'two words'],
    ['5'],
  ]) {
    assert.equal(exit('usage', ...args), 2, args.join(' '));
  }
  assert.deepEqual(reports(files), []);
});

test('the shell functions carry any text, in sh and in bash, under strict options', async () => {
  const files = attempt();
  const text = 'it\'s "quoted" $HOME `x` \\n\nnew line\ttab \x01\x1b[31m %s -n é 🚀';
  const script = `set -eu; . "$CZAR_SHELL"; PATH=/nowhere
    czarina_log_task_start "$TEXT"
    czarina_log_checkpoint "$TEXT"
    czar_log_task_complete "$TEXT"
    czarina_log_blocked "--$TEXT"
    czarina_log_worker_complete`;
  for (const shell of ['sh', 'bash']) {
    const result = await runCommand({
      argv: [shell, '-c', script],
      cwd: home,
      env: { ...envOf(files), TEXT: text },
      timeoutMs: 20_000,
    });
    assert.equal(result.code, 0, result.stderr.toString());
  }
  const once = [
    { kind: 'task-start', task: text },
    { kind: 'checkpoint', name: text },
    { kind: 'task-complete', task: text },
    { kind: 'blocked', text: `--${text}` },
    { kind: 'checkpoint', name: 'worker_complete' },
  ];
  assert.deepEqual(reports(files), [...once, ...once]);
});

test('czar is on the PATH of the attempt and passes its exit code on', async () => {
  const files = attempt();
  const result = await runCommand({
    argv: ['sh', '-c', 'czar emit nonsense'],
    cwd: home,
    env: envOf(files),
    timeoutMs: 20_000,
  });
  assert.equal(result.code, 2);
  assert.match(result.stderr.toString(), /no kind "nonsense"/);
});

test('the launcher takes the first way whose files are there', async () => {
  const script = launcherScript([
    [process.execPath, join(home, 'no-such-main.js')],
    ['/bin/echo', "fall'back"],
  ]);
  const file = join(home, 'launcher');
  writeFileSync(file, script, { mode: 0o755 });
  const result = await runCommand({ argv: [file, 'a b'], cwd: home, env: {}, timeoutMs: 20_000 });
  assert.equal(result.stdout.toString(), "fall'back a b\n");
  assert.equal(shellQuote("a'b"), "'a'\\''b'");
});

test('when the program of an attempt has ended its reports are over, and whoever still makes one is told', () => {
  const files = attempt();
  const status = join(files.attemptDir, 'status');
  writeFileSync(status, 'shim 1 2 .\nagent 3 4 .\n\nexit 0');
  assert.equal(emit(['checkpoint', 'x'], envOf(files)).exit, 0, 'no record without its end');
  writeFileSync(status, 'shim 1 2 .\nagent 3 4 .\n\nexit 0 .\n');
  const late = emit(['checkpoint', 'y'], envOf(files));
  assert.deepEqual(
    [late.exit, late.stderr.split('\n')[0]],
    [4, 'czar emit: the attempt is over: its program has ended'],
  );
  assert.equal(reports(files).length, 1);
});

test('the folder of an attempt is private and ignored by git, and written again it keeps the reports', () => {
  const files = attempt();
  assert.equal(statSync(files.attemptDir).mode & 0o777, 0o700);
  assert.equal(readFileSync(join(home, 'runs', '.gitignore'), 'utf8'), '*\n');
  assert.equal(readFileSync(files.promptFile, 'utf8'), 'the prompt');
  emit(['checkpoint', 'x'], envOf(files));
  assert.equal(statSync(files.reportFile).mode & 0o777, 0o600);
  writeAttemptFiles({ home, files, prompt: 'again', permissions });
  assert.equal(reports(files).length, 1);
});

test('last words come from the errors, else from the output', () => {
  const files = attempt();
  assert.deepEqual(lastWords(files, 3), []);
  writeFileSync(files.outputFile, 'one\ntwo\n');
  assert.deepEqual(lastWords(files, 1), ['two']);
  writeFileSync(files.errorsFile, 'bad\n');
  assert.deepEqual(lastWords(files, 3), ['bad']);
});
