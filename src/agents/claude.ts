/**
 * Claude Code without a terminal: `claude -p --output-format stream-json`, one JSON object a line. Pure.
 *
 * What its lines mean was measured with 2.1.330 (fixtures beside the tests). Its exit code alone proves nothing: it is 0
 * after SIGINT, and a refused request has the subtype `success`; the `result` line and its `is_error` decide. Figures of
 * single messages count as they come, so that a budget can stop it in the middle, and the total of the result line takes
 * their place at the end.
 */
import type { Judgement, Usage } from '../core/events.ts';
import type { Adapter, Ending, Said, Start, StartOptions } from './adapter.ts';
import { byExitCode, exitCode, notItsOwn } from './ending.ts';
import { attemptEnvironment } from './environment.ts';
import { oneSentence, providerFailure } from './failure.ts';
import { longestWaitMs, modelIn } from '../process/report-file.ts';
import { resultText, saidText, useText } from './show-text.ts';
import {
  numberIn,
  objectIn,
  objectOn,
  objectsIn,
  objectsOn,
  sessionIn,
  textIn,
  tokensIn,
  type Json,
} from './json-lines.ts';
import { commandOf } from './command-of.ts';
import { serverName, toolServer } from './tool-server.ts';
import { promptArgument } from './prompt-argument.ts';

export const claude: Adapter = {
  capabilities: {
    usage: 'turns and total',
    cost: true,
    resume: true,
    permissions: 'ask',
    mcp: 'flag',
  },
  version: ['--version'],
  login: { args: ['auth', 'status'], answer: isLoggedIn },
  // 2.1.330 reads AGENTS.md in a folder that has no CLAUDE.md.
  instructions: { name: 'CLAUDE.md', hides: ['AGENTS.md'] },
  prints: 'json',
  start,
  read,
  show,
  judge,
};

/** Its answer is a JSON object of several lines; of it only this one word is kept. */
function isLoggedIn({ stdout }: { readonly stdout: string }): boolean | null {
  const answer = objectOn(stdout)?.['loggedIn'];
  return typeof answer === 'boolean' ? answer : null;
}

function start(options: StartOptions): Start {
  const { definition, session, model } = options;
  const { env, own } = attemptEnvironment({
    baseEnv: options.baseEnv,
    names: definition.env,
    places: options,
  });
  return {
    argv: [
      ...commandOf(options),
      '-p',
      promptArgument(options.prompt, options.promptFile),
      '--output-format',
      'stream-json',
      '--verbose',
      '--include-partial-messages',
      ...permissionFlags(options),
      ...(options.standing === null ? [] : ['--append-system-prompt', options.standing]),
      ...toolFlags(options),
      ...(model === null ? [] : ['--model', model]),
      ...(session === null ? [] : ['--resume', session]),
    ],
    env,
    // It must not replace itself while it works, and some tools wait for a person.
    own: { ...own, DISABLE_AUTOUPDATER: '1', MCP_TOOL_TIMEOUT: String(longestWaitMs) },
  };
}

/** Files in its tree are always its own; commands are those that are allowed, or all. */
function permissionFlags({ permissions: { policy, allow } }: StartOptions): readonly string[] {
  switch (policy) {
    case 'full':
      return ['--dangerously-skip-permissions'];
    case 'read':
      return [
        '--permission-mode',
        'default',
        '--disallowedTools',
        'Write,Edit,NotebookEdit',
        '--allowedTools',
        ...allow.map((pattern) => `Bash(${pattern})`),
        'Read',
        'Grep',
        'Glob',
      ];
    case 'edit':
      return [
        '--permission-mode',
        'acceptEdits',
        '--allowedTools',
        'Write',
        'Edit',
        `mcp__${serverName}`,
      ];
    case 'work':
      return [
        '--permission-mode',
        'acceptEdits',
        '--allowedTools',
        ...allow.map((pattern) => `Bash(${pattern})`),
        'Write',
        'Edit',
        `mcp__${serverName}`,
      ];
  }
}

/** The tools of czar beside those that the user has set up; one of them is asked for what the flags do not settle. */
function toolFlags(options: StartOptions): readonly string[] {
  const asks = options.permissions.policy !== 'full';
  const own = toolServer(options, { permissions: asks });
  // Else it must search for them before it sees them.
  const server = { type: 'stdio', ...own, alwaysLoad: true };
  return [
    '--mcp-config',
    JSON.stringify({ mcpServers: { [serverName]: server } }),
    ...(asks ? ['--permission-prompt-tool', `mcp__${serverName}__approve`] : []),
  ];
}

function read(line: string): readonly Said[] {
  const entry = objectOn(line);
  switch (entry === null ? null : textIn(entry, 'type')) {
    case 'system':
      return sessionOf(entry ?? {});
    case 'stream_event': {
      const event = objectIn(entry ?? {}, 'event');
      if (textIn(event, 'type') !== 'message_delta') return [];
      const usage = usageOf(objectIn(event, 'usage'), 0);
      return usage === null ? [] : [{ kind: 'usage', usage }];
    }
    case 'assistant':
      return objectsIn(objectIn(entry ?? {}, 'message'), 'content').flatMap(tasksIn);
    case 'user':
      return taskOf(entry ?? {});
    case 'result':
      return totals(entry ?? {});
    case null:
    default:
      return [];
  }
}

/** Its own list of tasks, whole each time. */
function tasksIn(block: Json): readonly Said[] {
  if (textIn(block, 'type') !== 'tool_use' || textIn(block, 'name') !== 'TodoWrite') return [];
  return objectsIn(objectIn(block, 'input'), 'todos').flatMap((todo): readonly Said[] => {
    const task = oneSentence(textIn(todo, 'content') ?? '');
    const status = textIn(todo, 'status');
    if (task === '' || (status !== 'in_progress' && status !== 'completed')) return [];
    const kind = status === 'completed' ? 'task-complete' : 'task-start';
    return [{ kind, task, listed: true }];
  });
}

/** What came of the tools that make a task and change it, which name it by a number. */
function taskOf(entry: Json): readonly Said[] {
  // A list of an agent's own helper is not its own.
  if (textIn(entry, 'parent_tool_use_id') !== null) return [];
  const result = objectIn(entry, 'tool_use_result');
  const made = objectIn(result, 'task');
  const task = oneSentence(textIn(made, 'subject') ?? '');
  const id = sessionIn(made, 'id');
  if (task !== '' && id !== null) return [{ kind: 'task-listed', task, ref: id }];
  const ref = sessionIn(result, 'taskId');
  const to = textIn(objectIn(result, 'statusChange'), 'to');
  if (ref === null || (to !== 'in_progress' && to !== 'completed')) return [];
  return [{ kind: 'task-moved', ref, to: to === 'completed' ? 'completed' : 'started' }];
}

function sessionOf(entry: Json): readonly Said[] {
  const id = textIn(entry, 'subtype') === 'init' ? sessionIn(entry, 'session_id') : null;
  return id === null ? [] : [{ kind: 'session', id }];
}

function totals(entry: Json): readonly Said[] {
  const usage = usageOf(objectIn(entry, 'usage'), numberIn(entry, 'total_cost_usd') ?? 0);
  return [
    ...(usage === null
      ? []
      : [{ kind: 'usage', usage, total: true, ...onlyModel(entry) } as const]),
    ...objectsIn(entry, 'permission_denials').map((denial): Said => {
      const input = objectIn(denial, 'tool_input');
      const detail = textIn(input, 'command') ?? textIn(input, 'file_path') ?? '';
      const tool = oneSentence(textIn(denial, 'tool_name') ?? 'a tool');
      return { kind: 'denied', tool, detail: oneSentence(detail) };
    }),
  ];
}

/** The model of all its turns; left out where there were several. */
function onlyModel(entry: Json): { readonly model?: string } {
  const [model, second] = Object.keys(objectIn(entry, 'modelUsage'));
  return second === undefined ? modelIn({ model }) : {};
}

/** What is written into the cache was read afresh. */
function usageOf(figures: Json, costUsd: number): Usage | null {
  const given = ['input_tokens', 'output_tokens'].some((name) => numberIn(figures, name) !== null);
  if (!given) return null;
  return {
    input: tokensIn(figures, 'input_tokens') + tokensIn(figures, 'cache_creation_input_tokens'),
    output: tokensIn(figures, 'output_tokens'),
    cached: tokensIn(figures, 'cache_read_input_tokens'),
    costUsd,
  };
}

function show(line: string): readonly string[] {
  const entry = objectOn(line);
  if (entry === null) return [line];
  switch (textIn(entry, 'type')) {
    case 'assistant':
      return objectsIn(objectIn(entry, 'message'), 'content').flatMap(saidOrUsed);
    case 'user':
      return objectsIn(objectIn(entry, 'message'), 'content').flatMap((block) =>
        resultText(contentText(block), block['is_error'] === true),
      );
    case 'system':
      return textIn(entry, 'subtype') === 'api_retry'
        ? [`(tries again: ${textIn(entry, 'error') ?? 'its provider did not answer'})`]
        : [];
    // What its result says stands in its last message too.
    case null:
    default:
      return [];
  }
}

function saidOrUsed(block: Json): readonly string[] {
  switch (textIn(block, 'type')) {
    case 'text':
      return saidText(textIn(block, 'text') ?? '');
    case 'tool_use': {
      const input = objectIn(block, 'input');
      const on = ['command', 'file_path', 'pattern', 'url', 'description'].map((name) =>
        textIn(input, name),
      );
      return [useText(textIn(block, 'name') ?? 'a tool', on.find((one) => one !== null) ?? '')];
    }
    case null:
    default:
      return [];
  }
}

function contentText(block: Json): string {
  const whole = textIn(block, 'content');
  if (whole !== null) return whole;
  return objectsIn(block, 'content')
    .map((part) => textIn(part, 'text') ?? '')
    .join('\n');
}

function judge(ending: Ending): Judgement {
  const early = notItsOwn(ending);
  if (early !== null) return early;
  const entries = objectsOn(ending.output);
  const result = entries.findLast((entry) => textIn(entry, 'type') === 'result');
  if (result === undefined) return withoutResult(ending);
  if (result['is_error'] !== true && textIn(result, 'subtype') === 'success')
    return byExitCode(exitCode(ending) ?? 1, ending.lastWords);
  const until = quotaEnd(entries);
  return providerFailure({
    reason: textIn(result, 'result') ?? textIn(result, 'subtype') ?? 'it ended with an error',
    status: numberIn(result, 'api_error_status') ?? (until === null ? null : 429),
    until,
    now: ending.now,
  });
}

function withoutResult(ending: Ending): Judgement {
  const code = exitCode(ending) ?? 1;
  if (code !== 0) return byExitCode(code, ending.lastWords);
  return { kind: 'failed', reason: 'it ended without saying that it was done', final: false };
}

/** When the quota that turned it away is there again, milliseconds since 1970; null when nothing did, or it is not known. */
function quotaEnd(entries: readonly Json[]): number | null {
  const last = entries.findLast((entry) => textIn(entry, 'type') === 'rate_limit_event');
  const info = objectIn(last ?? {}, 'rate_limit_info');
  if (textIn(info, 'status') !== 'rejected') return null;
  const seconds = numberIn(info, 'resetsAt');
  return seconds === null ? null : seconds * 1000;
}
