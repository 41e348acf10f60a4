/**
 * Codex without a terminal: `codex exec --json`, one JSON object a line. Pure.
 *
 * What its lines mean was measured with 0.169.0 (fixtures beside the tests). Its sandbox makes `.git` read-only unless it
 * is named, and so would it the attempt's folder, into which `czar emit` writes. An item of the type `error` stands in
 * good runs too. Its input tokens include the cached ones, and it tells no cost.
 */
import type { Judgement, Usage } from '../core/events.ts';
import type { Adapter, Ending, LoginQuestion, Said, Start, StartOptions } from './adapter.ts';
import { byExitCode, exitCode, notItsOwn } from './ending.ts';
import { attemptEnvironment } from './environment.ts';
import { oneSentence, providerFailure, quotaEnd, statusIn } from './failure.ts';
import { longestWaitMs } from '../process/report-file.ts';
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
import { meteredArgument } from './metered-command.ts';
import { serverName, toolServer } from './tool-server.ts';
import { promptArgument } from './prompt-argument.ts';

export const codex: Adapter = {
  capabilities: { usage: 'turns', cost: false, resume: true, permissions: 'flags', mcp: 'flag' },
  version: ['--version'],
  login: { args: ['login', 'status'], answer: isLoggedIn },
  // Its settings may name others for where that one is missing: CLAUDE.md is the usual.
  instructions: { name: 'AGENTS.md', hides: ['CLAUDE.md'] },
  prints: 'json',
  start,
  read,
  show,
  judge,
};

/** It does not look at a key that is given to it by its variable, so that its no means nothing then. */
function isLoggedIn(said: Parameters<LoginQuestion['answer']>[0]): boolean | null {
  if (said.code === 0) return true;
  const out = said.code === 1 && /^Not logged in$/m.test(said.stderr);
  return out && (said.env['CODEX_API_KEY'] ?? '') === '' ? false : null;
}

function start(options: StartOptions): Start {
  const { definition, session, model } = options;
  return {
    argv: [
      ...commandOf(options),
      'exec',
      ...(session === null ? [] : ['resume', session]),
      '--json',
      '--skip-git-repo-check',
      ...sandboxFlags(options),
      ...toolFlags(options),
      ...(definition.meter === true ? [meteredArgument] : []),
      '-c',
      'check_for_update_on_startup=false',
      '-c',
      // A login shell begins with a PATH of its own, on which there is no czar.
      'allow_login_shell=false',
      ...(options.standing === null
        ? []
        : ['-c', `developer_instructions=${toml(options.standing)}`]),
      ...(model === null ? [] : ['-c', `model=${toml(model)}`]),
      promptArgument(options.prompt, options.promptFile),
    ],
    ...attemptEnvironment({
      baseEnv: options.baseEnv,
      names: definition.env,
      places: options,
    }),
  };
}

/** Its sandbox is what holds it to its tree: single commands cannot be told apart by flags. */
function sandboxFlags({ permissions, gitDir, attemptDir }: StartOptions): readonly string[] {
  if (permissions.policy === 'full') return ['-c', 'sandbox_mode="danger-full-access"'];
  if (permissions.policy === 'read') return ['-c', 'sandbox_mode="read-only"'];
  const roots = [...(gitDir === null ? [] : [gitDir]), attemptDir];
  return [
    '-c',
    'sandbox_mode="workspace-write"',
    '-c',
    `sandbox_workspace_write.writable_roots=[${roots.map(toml).join(',')}]`,
  ];
}

/** The tools of czar beside those that the user has set up. */
function toolFlags(options: StartOptions): readonly string[] {
  const { command, args, env } = toolServer(options, { permissions: false });
  const at = `mcp_servers.${serverName}`;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${toml(value)}`);
  return [
    `${at}.command=${toml(command)}`,
    `${at}.args=[${args.map(toml).join(',')}]`,
    `${at}.env={${variables.join(',')}}`,
    // Some of them wait for a person.
    `${at}.tool_timeout_sec=${longestWaitMs / 1_000}`,
  ].flatMap((setting) => ['-c', setting]);
}

/** A text as TOML has it. */
function toml(text: string): string {
  return JSON.stringify(text);
}

function read(line: string): readonly Said[] {
  const entry = objectOn(line);
  if (entry === null) return [];
  switch (textIn(entry, 'type')) {
    case 'thread.started': {
      const id = sessionIn(entry, 'thread_id');
      return id === null ? [] : [{ kind: 'session', id }];
    }
    case 'turn.completed': {
      const usage = usageOf(objectIn(entry, 'usage'));
      return usage === null ? [] : [{ kind: 'usage', usage }];
    }
    case 'item.started':
    case 'item.updated':
    case 'item.completed':
      return tasksIn(objectIn(entry, 'item'));
    case null:
    default:
      return [];
  }
}

/** Its own list of tasks, whole each time; which one it is at is not told. */
function tasksIn(item: Json): readonly Said[] {
  if (textIn(item, 'type') !== 'todo_list') return [];
  return objectsIn(item, 'items').flatMap((one): readonly Said[] => {
    const task = oneSentence(textIn(one, 'text') ?? '');
    return task === '' || one['completed'] !== true
      ? []
      : [{ kind: 'task-complete', task, listed: true }];
  });
}

function usageOf(figures: Json): Usage | null {
  if (numberIn(figures, 'input_tokens') === null) return null;
  const input = tokensIn(figures, 'input_tokens');
  const cached = Math.min(input, tokensIn(figures, 'cached_input_tokens'));
  return {
    input: input - cached,
    output: tokensIn(figures, 'output_tokens'),
    cached,
    costUsd: 0,
  };
}

function show(line: string): readonly string[] {
  const entry = objectOn(line);
  if (entry === null) return [line];
  const type = textIn(entry, 'type');
  // A turn that fails has said so in an error before.
  if (type === 'error') return saidText(textIn(entry, 'message') ?? 'an error');
  const item = objectIn(entry, 'item');
  switch (`${textIn(item, 'type')} ${type}`) {
    case 'agent_message item.completed':
    case 'reasoning item.completed':
      return saidText(textIn(item, 'text') ?? '');
    case 'command_execution item.started':
      return [useText('shell', textIn(item, 'command') ?? '')];
    case 'command_execution item.completed':
      return resultText(textIn(item, 'aggregated_output') ?? '', item['exit_code'] !== 0);
    case 'file_change item.completed':
      return objectsIn(item, 'changes').map((change) =>
        useText(textIn(change, 'kind') ?? 'change', textIn(change, 'path') ?? ''),
      );
    case 'mcp_tool_call item.started':
      return [useText(textIn(item, 'server') ?? 'mcp', textIn(item, 'tool') ?? '')];
    case 'web_search item.started':
      return [useText('search', textIn(item, 'query') ?? '')];
    case null:
    default:
      return [];
  }
}

function judge(ending: Ending): Judgement {
  const early = notItsOwn(ending);
  if (early !== null) return early;
  const entries = objectsOn(ending.output);
  const last = entries.findLast((entry) =>
    ['turn.completed', 'turn.failed'].includes(textIn(entry, 'type') ?? ''),
  );
  const code = exitCode(ending) ?? 1;
  if (last === undefined) {
    if (code !== 0) return byExitCode(code, ending.lastWords);
    return { kind: 'failed', reason: 'it ended without saying that it was done', final: false };
  }
  if (textIn(last, 'type') === 'turn.completed') return byExitCode(code, ending.lastWords);
  const reason = textIn(objectIn(last, 'error'), 'message') ?? 'its turn failed';
  const until = quotaEnd(reason, ending.now);
  const limited = until !== null || /usage limit|rate limit|quota/i.test(reason);
  const status = statusIn(reason) ?? (limited ? 429 : null);
  return providerFailure({ reason, status, until, now: ending.now });
}
