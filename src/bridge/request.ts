/** What an agent asks leave for, as czar's policy knows it. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { textIn } from '../agents/json-lines.ts';
import type { PermissionRequest } from '../core/events.ts';
import type { ToolCall } from './tool-calls.ts';

/** The requests that one call is: one for each file that it touches. Paths are absolute, their links followed. */
export function requestsOf(call: ToolCall, tree: string): readonly PermissionRequest[] {
  const kind = kindOf(call.kind);
  const title = call.title === '' ? (call.name ?? 'a tool') : call.title;
  const command = kind === 'command' ? commandIn(call) : null;
  if (command !== null) return [{ kind, title, command }];
  const paths = kind === 'edit' || kind === 'read' ? pathsIn(call) : [];
  if (paths.length === 0) return [{ kind, title }];
  return paths.map((path) => ({ kind, title, path: followed(resolve(tree, path)) }));
}

/** Tools that only keep the agent's own list of what it does, and its topic. */
const bookkeeping =
  /^(?:todo_?write|write_todos|update_plan|update_topic|Task(?:Create|Update|List|Get))$/i;

/** Whether it is a tool that changes nothing: czar's own, which report, and those of the agent's own list. */
export function isHarmless({ kind, name, title, input }: ToolCall, server: string | null): boolean {
  if (!['other', 'think'].includes(kind) || textIn(input, 'command') !== null) return false;
  if (name !== null && bookkeeping.test(name)) return true;
  if (server === null) return false;
  const own = new RegExp(`^(?:mcp__?)?${server}(?:__|_|\\.|/)[a-z_]+$`);
  return own.test(name ?? title) || own.test(title) || title.endsWith(` (${server} MCP Server)`);
}

function kindOf(kind: string): PermissionRequest['kind'] {
  switch (kind) {
    case 'edit':
    case 'delete':
    case 'move':
      return 'edit';
    case 'execute':
      return 'command';
    case 'read':
    case 'search':
      return 'read';
    case 'fetch':
      return 'fetch';
    default:
      return 'other';
  }
}

/** The command line; some agents tell it by the title of the call alone. */
function commandIn({ input, title }: ToolCall): string | null {
  const given = input['command'] ?? input['cmd'];
  if (typeof given === 'string' && given !== '') return given;
  if (Array.isArray(given) && given.every((word) => typeof word === 'string')) {
    const [shell = '', flag = '', line = ''] = given;
    const isShell = /^(?:ba|z|da)?sh$/.test(basename(shell)) && /^-l?c$/.test(flag);
    return isShell && given.length === 3 ? line : given.map(quoted).join(' ');
  }
  return title === '' ? null : title;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function pathsIn({ input, paths }: ToolCall): readonly string[] {
  const named = ['file_path', 'filePath', 'path', 'absolute_path', 'notebook_path'].map((name) =>
    textIn(input, name),
  );
  return [...new Set([...paths, ...named.filter((path) => path !== null)])];
}

/** Where it leads, whatever of it exists. */
function followed(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(followed(above), basename(path));
  }
}
