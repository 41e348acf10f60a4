/**
 * What a worker's repository is configured with, as text: identity, no signing, hooks of its own, and an `origin` that
 * can be fetched from but never pushed to.
 */
import type { Identity } from '../context.ts';

/** What an agent reads when it pushes. */
export const pushSentence = 'czar brings your commits home by itself; agents do not push';

/** The `config` file of a worker's repository. */
export function treeConfig(options: {
  readonly identity: Identity;
  readonly origin: string | null;
  readonly objectFormat: 'sha1' | 'sha256';
}): string {
  const format = options.objectFormat === 'sha256';
  return [
    '[core]',
    `\trepositoryformatversion = ${format ? 1 : 0}`,
    '\tfilemode = true',
    '\tbare = false',
    '\tlogAllRefUpdates = true',
    '\thooksPath = .git/hooks',
    '\tautocrlf = false',
    '\tfsmonitor = false',
    ...(format ? ['[extensions]', '\tobjectformat = sha256'] : []),
    '[user]',
    `\tname = ${quoted(options.identity.name)}`,
    `\temail = ${quoted(options.identity.email)}`,
    '[commit]',
    '\tgpgSign = false',
    '[tag]',
    '\tgpgSign = false',
    '[gc]',
    '\tauto = 0',
    '\treflogExpire = never',
    '\treflogExpireUnreachable = never',
    '[maintenance]',
    '\tauto = false',
    '[push]',
    '\tdefault = current',
    '[remote]',
    '\tpushDefault = origin',
    '[remote "origin"]',
    ...(options.origin === null ? [] : [`\turl = ${quoted(withoutPassword(options.origin))}`]),
    '\tfetch = +refs/heads/*:refs/remotes/origin/*',
    '\tpushurl = /agents-do-not-push',
    `\treceivepack = ${quoted(refusingReceiver())}`,
    '',
  ].join('\n');
}

/** `.git/hooks/pre-push`: refuses a push to any other address. */
export function prePushHook(): string {
  return `#!/bin/sh\necho ${JSON.stringify(pushSentence)} >&2\nexit 1\n`;
}

/**
 * The program that git starts as the other end of a push to a local address. It speaks one line of git's protocol
 * (gitprotocol-pack, "ERR"), so that git shows the sentence and nothing else.
 */
function refusingReceiver(): string {
  const payload = `ERR ${pushSentence}\n`;
  const length = (payload.length + 4).toString(16).padStart(4, '0');
  return `printf '${length}ERR ${pushSentence}\\n'`;
}

function withoutPassword(url: string): string {
  return url.replace(/^(https?:\/\/[^/@:]*):[^/@]*@/i, '$1@');
}

function quoted(value: string): string {
  const escaped = value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, ' ');
  return `"${escaped}"`;
}
