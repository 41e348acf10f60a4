import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AttemptEnd, Judgement } from '../core/events.ts';
import type { AgentDefinition } from '../core/plan.ts';
import type { Start } from './adapter.ts';
import { command as adapter } from './command.ts';
import { attemptFiles } from './attempt-files.ts';
import { judgeEnd } from './judge-end.ts';

const files = attemptFiles({ home: '/repo/.czar', run: '20261121-1', worker: 'alpha', attempt: 2 });

function begin(
  command: readonly string[],
  more: { prompt?: string; env?: string[]; baseEnv?: NodeJS.ProcessEnv } = {},
): Start {
  const definition: AgentDefinition = {
    name: 'mine',
    adapter: 'command',
    command,
    env: more.env ?? [],
  };
  return adapter.start({
    ...files,
    definition,
    prompt: more.prompt ?? 'do it',
    worktree: '/repo/.czar/worktrees/alpha',
    repository: '/repo',
    run: '20261121-1',
    worker: 'alpha',
    attempt: 2,
    port: 20_010,
    standing: null,
    session: null,
    model: null,
    permissions: { policy: 'work', allow: [] },
    gitDir: null,
    baseEnv: more.baseEnv ?? { PATH: '/usr/bin' },
  });
}

function judge(end: AttemptEnd, lastWords: readonly string[]): Judgement {
  const limits = { processes: 500, memoryBytes: 4_000_000_000 };
  return adapter.judge({ end, lastWords, output: [], limits, now: 0 });
}

test('placeholders are replaced in every argument, once, and never through a shell', () => {
  const prompt = 'it\'s {worktree} and $(rm -rf) `x`\n"quoted"';
  const { argv } = begin(['agent', '--dir={worktree}', '{prompt}', '@{prompt_file}', '{other}'], {
    prompt,
  });
  assert.deepEqual(argv, [
    'agent',
    '--dir=/repo/.czar/worktrees/alpha',
    prompt,
    `@${files.promptFile}`,
    '{other}',
  ]);
});

test('a long prompt becomes a sentence that names the file', () => {
  const { argv } = begin(['agent', '{prompt}'], { prompt: 'é'.repeat(60_000) });
  assert.ok(argv[1] !== undefined && argv[1].length < 1_000);
  assert.ok(argv[1].includes(files.promptFile));
  assert.equal(begin(['agent', '{prompt}'], { prompt: 'a\0b' }).argv[1], 'a\uFFFDb');
});

test('a program with a slash is taken from the repository, any other from the PATH', () => {
  assert.equal(begin(['./tools/agent.sh']).argv[0], '/repo/tools/agent.sh');
  assert.equal(begin(['/opt/agent']).argv[0], '/opt/agent');
  assert.equal(begin(['agent']).argv[0], 'agent');
});

test('only allowed and named variables reach the agent, and its own win', () => {
  const baseEnv = {
    PATH: '/usr/bin',
    HOME: '/home/me',
    LC_ALL: 'C',
    https_proxy: 'http://proxy',
    TERM: 'xterm',
    GIT_DIR: '/elsewhere/.git',
    SSH_AUTH_SOCK: '/run/agent',
    AWS_SECRET_ACCESS_KEY: 'secret',
    MY_KEY: 'mine',
    CZAR_WORKER: 'outer',
    NODE_OPTIONS: '--x',
  };
  const { env, own } = begin(['agent'], { baseEnv, env: ['MY_KEY', 'CZAR_WORKER', 'ABSENT'] });
  assert.ok(!('MY_KEY' in own), 'what may be secret is not kept');
  assert.deepEqual(
    { ...env, ...own },
    {
      PATH: `${files.binDir}:/usr/bin`,
      HOME: '/home/me',
      LC_ALL: 'C',
      https_proxy: 'http://proxy',
      MY_KEY: 'mine',
      TERM: 'dumb',
      PWD: '/repo/.czar/worktrees/alpha',
      TMPDIR: files.tmpDir,
      GIT_CEILING_DIRECTORIES: '/repo/.czar/worktrees',
      GIT_TERMINAL_PROMPT: '0',
      CZAR_RUN: '20261121-1',
      CZAR_WORKER: 'alpha',
      CZAR_ATTEMPT: '2',
      CZAR_PROMPT_FILE: files.promptFile,
      CZAR_REPORT_FILE: files.reportFile,
      CZAR_SHELL: files.shellFile,
      CZAR_PORT: '20010',
      CZAR_PORT_BASE: '20010',
    },
  );
});

test('usage lines count, all else is log', () => {
  assert.deepEqual(
    adapter.read('{"type":"usage","input_tokens":10,"output_tokens":5,"cost_usd":0.25}'),
    [{ kind: 'usage', usage: { input: 10, output: 5, cached: 0, costUsd: 0.25 } }],
  );
  assert.deepEqual(adapter.read('  {"type":"usage","cached_tokens":7,"cost_usd":null}\r'), [
    { kind: 'usage', usage: { input: 0, output: 0, cached: 7, costUsd: 0 } },
  ]);
  for (const line of [
    '',
    'usage',
    '{"type":"usage"',
    '[{"type":"usage"}]',
    '{"type":"result","input_tokens":1}',
    '{"kind":"usage"}',
  ]) {
    assert.deepEqual(adapter.read(line), [], line);
  }
});

test('negative, absurd and figureless usage is refused', () => {
  for (const figures of [
    '"input_tokens":-1',
    '"output_tokens":1e300',
    '"cost_usd":1e999',
    '"cached_tokens":"7"',
    '"x":1',
  ]) {
    const [result] = adapter.read(`{"type":"usage",${figures}}`);
    assert.ok(result !== undefined && 'refused' in result, figures);
  }
});

test('an end is judged by its exit code alone', () => {
  assert.deepEqual(judge({ how: 'exited', code: 0 }, ['error: it all went wrong']), {
    kind: 'well',
  });
  const failed = judge({ how: 'exited', code: 3 }, ['first', 'no space']);
  assert.deepEqual(failed, {
    kind: 'failed',
    reason: 'it ended with exit code 3: no space',
    final: false,
  });
});

test('a line that was counted is no reason of a failure', () => {
  const home = mkdtempSync(join(tmpdir(), 'czar-judge-'));
  const its = attemptFiles({ home, run: '20261121-1', worker: 'alpha', attempt: 1 });
  mkdirSync(its.attemptDir, { recursive: true });
  writeFileSync(its.outputFile, 'no space\n{"type":"usage","input_tokens":1}\n');
  const limits = { processes: 500, memoryBytes: 4_000_000_000 };
  const { judgement, lastWords } = judgeEnd(adapter, its, {
    end: { how: 'exited', code: 3 },
    limits,
    now: 0,
  });
  rmSync(home, { recursive: true });
  assert.deepEqual(lastWords, ['no space']);
  assert.equal(
    judgement.kind === 'failed' && judgement.reason,
    'it ended with exit code 3: no space',
  );
});

test('a program that could not be started is a final failure, the same code of its own is not', () => {
  const words = ['czar-exec: 41: exec: /x/agent: not found'];
  assert.deepEqual(judge({ how: 'exited', code: 127 }, words), {
    kind: 'failed',
    reason: 'its program could not be started: /x/agent: not found',
    final: true,
  });
  const own = judge({ how: 'exited', code: 127 }, ['sh: nothing: not found']);
  assert.ok(own.kind === 'failed' && !own.final);
});

test('what czar or nobody ended is no success', () => {
  assert.equal(judge({ how: 'stopped', why: 'timeout', code: 0 }, []).kind, 'failed');
  assert.deepEqual(judge({ how: 'stopped', why: 'processes', code: 0 }, []), {
    kind: 'failed',
    reason: 'it ran more than 500 processes and threads (limit of limits.processes)',
    final: false,
  });
  assert.deepEqual(judge({ how: 'stopped', why: 'memory', code: 137 }, ['Killed']), {
    kind: 'failed',
    reason: 'it used more than 4 GB of memory (limit of limits.memory)',
    final: false,
  });
  assert.equal(judge({ how: 'stopped', why: 'unattended', code: 0 }, []).kind, 'lost');
  assert.equal(judge({ how: 'stopped', why: 'interrupted', code: null }, []).kind, 'lost');
  assert.deepEqual(judge({ how: 'lost', why: 'reboot' }, []), { kind: 'lost', why: 'reboot' });
});
