/** Every adapter over what its agent really printed, in the version that the folder names. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { AttemptEnd, Judgement, Usage } from '../core/events.ts';
import type { AdapterName } from '../core/plan.ts';
import type { TaskState } from '../core/state.ts';
import { sum, noUsage } from '../core/usage.ts';
import { nobodyAsks, reportEvents } from '../core/decide/report-event.ts';
import type { Adapter } from './adapter.ts';
import { adapters } from './adapters.ts';

const now = Date.UTC(2026, 10, 29);

function recorded(folder: string, name: string): readonly string[] {
  const file = new URL(`../../test/fixtures/agents/${folder}/${name}.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8').trim().split('\n');
}

function judgement(adapter: Adapter, output: readonly string[], code: number): Judgement {
  const end: AttemptEnd = { how: 'exited', code };
  const limits = { processes: null, memoryBytes: null };
  return adapter.judge({ end, output, lastWords: [], limits, now });
}

/** What the log counts of the lines. */
function counted(adapter: Adapter, lines: readonly string[]): Usage {
  const reports = lines.flatMap(adapter.read).flatMap((said) => ('refused' in said ? [] : [said]));
  const events = reportEvents(reports, { agent: 'it', price: null, used: noUsage, ...nobodyAsks });
  return events.reduce(
    (all, event) => (event.type === 'worker.usage' ? sum(all, event.data) : all),
    noUsage,
  );
}

test('Claude Code tells which model it asked, where it was one', () => {
  const said = recorded('claude-2.1.330', 'commit').flatMap(adapters.claude.read);
  const models = said.flatMap((one) => ('kind' in one && one.kind === 'usage' ? [one.model] : []));
  assert.equal(models.at(-1), 'claude-opus-5-5');
});

const agents: readonly (readonly [AdapterName, string])[] = [
  ['claude', 'claude-2.1.330'],
  ['codex', 'codex-0.169.0'],
];

for (const [name, folder] of agents) {
  const adapter = adapters[name];
  describe(folder, () => {
    test('a good run is one: its session, its tokens, each counted once, and what it said', () => {
      const lines = recorded(folder, 'commit');
      assert.deepEqual(judgement(adapter, lines, 0), { kind: 'well' });
      const { input, output, cached } = counted(adapter, lines);
      assert.deepEqual({ input, output, cached }, { input: 2100, output: 81, cached: 500 });
      const sessions = lines
        .flatMap(adapter.read)
        .filter((said) => 'kind' in said && said.kind === 'session');
      assert.equal(sessions.length, 1);
      const shown = lines.flatMap(adapter.show);
      assert.match(
        shown.join('\n'),
        /^Step 0 of commit\.\n▸ \w+: .*git commit .*\n {2}[0-9a-f]{7}\n/,
      );
      assert.match(shown.at(-1) ?? '', /c3fae4a|c4d9dea/);
    });

    test('a good run that was cut off before its last word did not end well', () => {
      const lines = recorded(folder, 'commit').slice(0, -1);
      for (const code of [0, 1]) {
        const found = judgement(adapter, lines, code);
        assert.equal(found.kind, 'failed');
        assert.equal(found.kind === 'failed' && found.final, false);
      }
    });

    test('its last word does not outweigh an exit code that says otherwise', () => {
      assert.equal(judgement(adapter, recorded(folder, 'commit'), 1).kind, 'failed');
    });

    test('a wrong key is final, and the reason is the words of the provider', () => {
      for (const code of [0, 1]) {
        const found = judgement(adapter, recorded(folder, 'http401'), code);
        assert.ok(found.kind === 'failed' && found.final, JSON.stringify(found));
        assert.match(found.reason, /401/);
      }
    });

    test('too many requests is a wait', () => {
      const found = judgement(adapter, recorded(folder, 'http429'), 1);
      assert.deepEqual([found.kind, found.kind === 'quota' && found.until], ['quota', null]);
    });

    test('a server that fails is a failed attempt that may be repeated', () => {
      const found = judgement(adapter, recorded(folder, 'http500'), 1);
      assert.ok(found.kind === 'failed' && !found.final, JSON.stringify(found));
    });

    test('lines that are no JSON, or no object, are log', () => {
      for (const line of ['', 'Reading additional input from stdin...', '[1]', '{"type":7}', '{']) {
        assert.deepEqual(adapter.read(line), [], line);
        adapter.show(line);
      }
    });
  });
}

/** Agents that speak ACP, through the bridge: what each tells of 2100 tokens read afresh, 500 from a cache, 81 written. */
const bridged: readonly (readonly [string, { input: number; output: number; cached: number }])[] = [
  ['claude-agent-acp-0.100.0', { input: 2100, output: 81, cached: 500 }],
  ['codex-acp-2.6.0', { input: 2100, output: 81, cached: 500 }],
  ['qwen-0.24.4', { input: 2100, output: 81, cached: 500 }],
  ['gemini-0.61.0', { input: 2600, output: 81, cached: 0 }],
  ['opencode-1.18.33', { input: 1600, output: 41, cached: 0 }],
];

for (const [folder, tokens] of bridged) {
  const adapter = adapters.acp;
  const has = (name: string): boolean =>
    existsSync(new URL(`../../test/fixtures/agents/${folder}/${name}.jsonl`, import.meta.url));
  describe(folder, () => {
    test('a good run is one: its session, its tokens, each counted once, and what it said', () => {
      const lines = recorded(folder, 'commit');
      assert.deepEqual(judgement(adapter, lines, 0), { kind: 'well' });
      const { input, output, cached } = counted(adapter, lines);
      assert.deepEqual({ input, output, cached }, tokens);
      const said = lines.flatMap(adapter.read);
      assert.equal(said.filter((one) => 'kind' in one && one.kind === 'session').length, 1);
      const shown = lines.flatMap(adapter.show).join('\n');
      assert.match(shown, /^Step 0 of commit\.\n▸ \w+: .*git commit /m);
      assert.match(shown, /^Committed f\.txt\./m);
    });

    test('a good run that was cut off before its last word did not end well', () => {
      const lines = recorded(folder, 'commit').slice(0, -1);
      for (const code of [0, 1]) assert.equal(judgement(adapter, lines, code).kind, 'failed');
    });

    test('its last word does not outweigh an exit code that says otherwise', () => {
      assert.equal(judgement(adapter, recorded(folder, 'commit'), 1).kind, 'failed');
    });

    test('a wrong key is a failure, and final where its status is told', () => {
      const found = judgement(adapter, recorded(folder, 'http401'), 1);
      assert.ok(found.kind === 'failed', JSON.stringify(found));
      assert.equal(found.final, !folder.startsWith('opencode'));
    });

    if (has('http429')) {
      test('too many requests are a wait', () => {
        assert.equal(judgement(adapter, recorded(folder, 'http429'), 1).kind, 'quota');
      });
    }

    if (has('http500')) {
      test('a server that fails is a failed attempt that may be repeated', () => {
        const found = judgement(adapter, recorded(folder, 'http500'), 1);
        assert.ok(found.kind === 'failed' && !found.final, JSON.stringify(found));
      });
    }

    if (has('denied')) {
      test('what it was not allowed is told with the exact command', () => {
        const said = recorded(folder, 'denied').flatMap(adapter.read);
        const denied = said.filter((one) => 'kind' in one && one.kind === 'denied');
        assert.equal(denied.length, 1);
        assert.match(JSON.stringify(denied[0]), /"detail":"touch outside && git status"/);
      });
    }
  });
}

test('what an agent prints is a claim: an id that could be a flag is none, nor is an absurd figure', () => {
  const flag = '--dangerously-bypass-approvals-and-sandbox';
  const lines: readonly (readonly [AdapterName, unknown])[] = [
    ['codex', { type: 'thread.started', thread_id: flag }],
    ['codex', { type: 'thread.started', thread_id: 'x'.repeat(1_000_000) }],
    ['claude', { type: 'system', subtype: 'init', session_id: flag }],
    ['claude', { type: 'result', usage: { input_tokens: 1.7e308, output_tokens: -1 } }],
    ['codex', { type: 'turn.completed', usage: { input_tokens: '7' } }],
    ['acp', { type: 'session', id: flag }],
    ['acp', { type: 'plan', started: [7, ' '], completed: 'all' }],
    ['acp', { type: 'permission', decision: 'deny', by: 'answer' }],
  ];
  for (const [name, line] of lines) assert.deepEqual(adapters[name].read(JSON.stringify(line)), []);
});

test('Claude Code: what it was not allowed is told with the exact command', () => {
  const said = recorded('claude-2.1.330', 'denied').flatMap(adapters.claude.read);
  const denied = said.filter((one) => 'kind' in one && one.kind === 'denied');
  assert.equal(denied.length, 1);
  assert.match(JSON.stringify(denied[0]), /"tool":"Bash","detail":"printf .*git commit/);
});

test('Claude Code: a used-up quota is a wait until it is there again', () => {
  const away = JSON.stringify({
    type: 'rate_limit_event',
    rate_limit_info: {
      status: 'rejected',
      resetsAt: now / 1000 + 3600,
      rateLimitType: 'five_hour',
    },
  });
  const lines = recorded('claude-2.1.330', 'http429');
  const found = judgement(adapters.claude, [...lines.slice(0, -1), away, ...lines.slice(-1)], 1);
  assert.equal(found.kind === 'quota' && found.until, now + 3_600_000);
});

test('Codex: words say when a used-up quota is there again', () => {
  const line = JSON.stringify({
    type: 'turn.failed',
    error: { message: "You've hit your usage limit. Try again in 2 hours 5 minutes." },
  });
  const found = judgement(adapters.codex, [line], 1);
  assert.equal(found.kind === 'quota' && found.until, now + 125 * 60_000);
});

test('tasks that Claude Code makes and changes by number become tasks of the worker, also when it goes on later', () => {
  const lines = recorded('claude-2.1.330', 'tasks');
  const eventsOf = (some: readonly string[], tasks: readonly TaskState[]) =>
    reportEvents(
      some.flatMap(adapters.claude.read).flatMap((said) => ('refused' in said ? [] : [said])),
      { agent: 'it', price: null, used: noUsage, ...nobodyAsks, tasks },
    ).flatMap(({ type, data }) => ('task' in data ? [[type, data.task]] : []));
  const all = [
    ['worker.task_listed', 'Write the code'],
    ['worker.task_listed', 'Run the tests'],
    ['worker.task_started', 'Write the code'],
    ['worker.task_completed', 'Write the code'],
    ['worker.task_started', 'Run the tests'],
    ['worker.task_completed', 'Run the tests'],
  ];
  assert.deepEqual(eventsOf(lines, []), all);
  // Read anew, nothing happens twice; and the log knows of which task a later line tells.
  const half = lines.findIndex((line) => line.includes('"to":"in_progress"')) + 1;
  const known = (startedAt: number | null): TaskState[] => [
    { task: 'Write the code', startedAt, completedAt: null, ref: '1' },
    { task: 'Run the tests', startedAt: null, completedAt: null, ref: '2' },
  ];
  assert.deepEqual(eventsOf(lines.slice(half), known(1)), all.slice(3));
  assert.deepEqual(eventsOf(lines.slice(0, half), known(1)), []);
  // A number that nothing is known of, as in a log that lost its beginning, is nothing.
  assert.deepEqual(eventsOf(lines.slice(half), []), []);
  const sub = lines.map((line) =>
    line.replace('"parent_tool_use_id":null', '"parent_tool_use_id":"t"'),
  );
  assert.deepEqual(eventsOf(sub, []), []);
});

test('what an agent keeps as its own list becomes tasks, each once', () => {
  // As Claude Code 2.1.330 prints it with CLAUDE_CODE_ENABLE_TODO_TOOLS=1 and CLAUDE_CODE_ENABLE_TASKS=0.
  const todos = [
    { content: 'Read the plan', activeForm: 'Read the plan', status: 'completed' },
    { content: 'Write the code', activeForm: 'Write the code', status: 'in_progress' },
    { content: 'Run the tests', activeForm: 'Run the tests', status: 'pending' },
  ];
  const content = [{ type: 'tool_use', id: 'toolu_1', name: 'TodoWrite', input: { todos } }];
  const claudeLine = JSON.stringify({ type: 'assistant', message: { role: 'assistant', content } });
  // As Codex 0.169.0 prints it with tools.update_plan.enabled.
  const items = [
    { text: 'Read the plan', completed: true },
    { text: 'Write the code', completed: false },
  ];
  const item = { id: 'item_2', type: 'todo_list', items };
  const codexLines = ['item.started', 'item.completed'].map((type) =>
    JSON.stringify({ type, item }),
  );
  const eventsOf = (lines: readonly string[], adapter: Adapter, tasks: readonly TaskState[] = []) =>
    reportEvents(
      lines.flatMap(adapter.read).flatMap((said) => ('refused' in said ? [] : [said])),
      { agent: 'it', price: null, used: noUsage, ...nobodyAsks, tasks },
    ).map(({ type, data }) => [type, 'task' in data ? data.task : null]);
  assert.deepEqual(eventsOf([claudeLine, claudeLine], adapters.claude), [
    ['worker.task_completed', 'Read the plan'],
    ['worker.task_started', 'Write the code'],
  ]);
  assert.deepEqual(eventsOf(codexLines, adapters.codex), [
    ['worker.task_completed', 'Read the plan'],
  ]);
  const known = [{ task: 'Read the plan', startedAt: null, completedAt: 1 }];
  assert.deepEqual(eventsOf(codexLines, adapters.codex, known), []);
});
