/**
 * Agents that speak the Agent Client Protocol, through the bridge (`src/bridge/`), whose lines are the same for all of
 * them. Pure.
 *
 * What the bridge says last, `end` or `failed`, and its exit code decide together; without either the attempt did not end
 * well. What single agents do differently is known by their profiles alone.
 */
import { join } from 'node:path';
import type { Judgement, Usage } from '../core/events.ts';
import { capabilitiesOfProfile, profileNamed, profileOf } from './acp-profiles.ts';
import { settingsArgument, standingFolder } from './acp-settings.ts';
import type { Adapter, Ending, Said, Start, StartOptions } from './adapter.ts';
import { bridgeCommand } from './bridge-command.ts';
import { commandOf } from './command-of.ts';
import { byExitCode, exitCode, notItsOwn } from './ending.ts';
import { attemptEnvironment } from './environment.ts';
import { oneSentence, providerFailure, quotaEnd, statusIn } from './failure.ts';
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
import { promptArgument } from './prompt-argument.ts';
import { resultText, saidText, useText } from './show-text.ts';

export const acp: Adapter = {
  // Of an agent of which nothing is known.
  capabilities: capabilitiesOfProfile(profileNamed('any')),
  version: ['--version'],
  login: null,
  instructions: profileNamed('any').instructions,
  prints: 'json',
  endsItsOwn: true,
  start,
  read,
  show,
  judge,
};

function start(options: StartOptions): Start {
  const { definition, session, permissions, model, gitDir, attemptDir, binDir } = options;
  const profile = profileOf(definition);
  const { env, own } = attemptEnvironment({
    baseEnv: options.baseEnv,
    names: definition.env,
    places: options,
  });
  const settings = settingsArgument({
    profile: profile.name,
    resume:
      session === null
        ? null
        : { session, message: promptArgument(options.prompt, options.promptFile) },
    model,
    standing: options.standing,
    tools: { command: join(binDir, 'czar'), args: ['mcp'] },
  });
  const writable = [...(gitDir === null ? [] : [gitDir]), attemptDir];
  return {
    argv: [
      ...bridgeCommand,
      settings,
      ...commandOf(options),
      ...(model === null || profile.model === null ? [] : profile.model(model)),
      ...(options.standing === null
        ? []
        : (profile.standingArgs?.(options.standing, standingFolder(attemptDir)) ?? [])),
    ],
    env,
    own: { ...own, ...profile.env({ permissions, writable, standing: options.standing }) },
  };
}

function read(line: string): readonly Said[] {
  const entry = objectOn(line) ?? {};
  switch (textIn(entry, 'type')) {
    case 'session': {
      const id = sessionIn(entry, 'id');
      return id === null ? [] : [{ kind: 'session', id }];
    }
    case 'usage':
      return [{ kind: 'usage', usage: usageOf(entry), total: true }];
    case 'plan':
      return [
        ...texts(entry, 'started').map((task): Said => ({ kind: 'task-start', task })),
        ...texts(entry, 'completed').map((task): Said => ({ kind: 'task-complete', task })),
      ];
    case 'permission': {
      // What a person decided is on record already.
      if (entry['decision'] !== 'deny' || entry['by'] !== 'policy') return [];
      const tool = oneSentence(textIn(entry, 'tool') ?? 'a tool');
      return [{ kind: 'denied', tool, detail: oneSentence(textIn(entry, 'about') ?? '') }];
    }
    case null:
    default:
      return [];
  }
}

function texts(entry: Json, name: string): readonly string[] {
  const value = entry[name];
  if (!Array.isArray(value)) return [];
  return value.filter((one) => typeof one === 'string' && one.trim() !== '').map(oneSentence);
}

function usageOf(entry: Json): Usage {
  return {
    input: tokensIn(entry, 'input'),
    output: tokensIn(entry, 'output'),
    cached: tokensIn(entry, 'cached'),
    costUsd: numberIn(entry, 'cost_usd') ?? 0,
  };
}

function show(line: string): readonly string[] {
  const entry = objectOn(line);
  if (entry === null) return [line];
  switch (textIn(entry, 'type')) {
    case 'text':
      return saidText(textIn(entry, 'text') ?? '');
    case 'tool':
      return [useText(textIn(entry, 'name') ?? textIn(entry, 'kind') ?? 'a tool', usedOn(entry))];
    case 'result': {
      const changed = objectsIn(entry, 'diffs').map((diff) => textIn(diff, 'path') ?? '');
      const said = textIn(entry, 'text') ?? changed.join('\n');
      return resultText(said, entry['ok'] !== true);
    }
    case 'permission':
      return permissionText(entry);
    case 'trouble':
    case 'failed':
      return saidText(textIn(entry, 'message') ?? 'it failed');
    case null:
    default:
      return [];
  }
}

/** What it asked leave for; what the policy allows is not worth a line. */
function permissionText(entry: Json): readonly string[] {
  const about = textIn(entry, 'about') ?? '';
  switch (textIn(entry, 'decision')) {
    case 'ask':
      return [`(asks for leave: ${about})`];
    case 'deny':
      return [`(not allowed: ${about})`];
    case 'allow':
      return entry['by'] === 'answer' ? [`(allowed: ${about})`] : [];
    case null:
    default:
      return [];
  }
}

function usedOn(entry: Json): string {
  const input = objectIn(entry, 'input');
  const on = ['command', 'cmd', 'file_path', 'filePath', 'path', 'pattern', 'url'].map((name) =>
    textIn(input, name),
  );
  return on.find((one) => one !== null) ?? textIn(entry, 'title') ?? '';
}

function judge(ending: Ending): Judgement {
  const early = notItsOwn(ending);
  if (early !== null) return early;
  const last = objectsOn(ending.output).findLast((entry) =>
    ['end', 'failed'].includes(textIn(entry, 'type') ?? ''),
  );
  const code = exitCode(ending) ?? 1;
  if (last === undefined) {
    if (code !== 0) return byExitCode(code, ending.lastWords);
    return { kind: 'failed', reason: 'it ended without saying that it was done', final: false };
  }
  if (textIn(last, 'type') === 'failed') return failure(last, ending.now);
  const stop = textIn(last, 'stop') ?? '';
  if (stop === 'end_turn') return byExitCode(code, ending.lastWords);
  const reason = stops[stop] ?? `its turn ended otherwise: ${oneSentence(stop)}`;
  return { kind: 'failed', reason, final: false };
}

const stops: Readonly<Record<string, string>> = {
  cancelled: 'its turn was cancelled',
  refusal: 'it refused to go on',
  max_tokens: 'it reached the most tokens of an answer',
  max_turn_requests: 'it reached the most requests of a turn',
};

function failure(last: Json, now: number): Judgement {
  const reason = textIn(last, 'message') ?? 'it failed';
  if (last['final'] === true && textIn(last, 'at') !== 'prompt')
    return { kind: 'failed', reason: oneSentence(reason), final: true };
  const until = quotaEnd(reason, now);
  const limited = until !== null || /usage limit|rate limit|quota/i.test(reason);
  const status = numberIn(last, 'status') ?? statusIn(reason) ?? (limited ? 429 : null);
  return providerFailure({ reason, status, until, now });
}
