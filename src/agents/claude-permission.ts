/**
 * What Claude Code asks its permission tool (`--permission-prompt-tool`), and how it wants to be answered. Measured with
 * 2.1.330: a call has `tool_name`, `input` and `tool_use_id`, and the answer is JSON in a text. Pure.
 */
import type { PermissionRequest } from '../core/events.ts';
import type { Answer } from '../process/answer-file.ts';

type Input = Readonly<Record<string, unknown>>;

/** What it wants to do, in words that hold for every agent. */
export function requestOf(tool: string, input: Input): PermissionRequest {
  const told = (name: string): string | undefined => {
    const value = input[name];
    return typeof value === 'string' && value.trim() !== '' ? value : undefined;
  };
  const title = told('description') ?? tool;
  const at = (kind: PermissionRequest['kind'], path: string | undefined): PermissionRequest =>
    path === undefined ? whole(kind, tool, input) : { kind, title, path };
  switch (tool) {
    case 'Bash': {
      const command = told('command');
      return command === undefined
        ? whole('command', tool, input)
        : { kind: 'command', title, command };
    }
    case 'Write':
    case 'Edit':
    case 'MultiEdit':
      return at('edit', told('file_path'));
    case 'NotebookEdit':
      return at('edit', told('notebook_path'));
    case 'Read':
      return at('read', told('file_path'));
    case 'Glob':
    case 'Grep':
    case 'LS':
      return at('read', told('path') ?? '.');
    case 'WebFetch':
      return at('fetch', told('url'));
    case 'WebSearch':
      return at('fetch', told('query'));
    default:
      return whole('other', tool, input);
  }
}

/** The answer as it wants it. */
export function answerText({ decision, text }: Answer, input: Input): string {
  return JSON.stringify(
    decision === 'allow'
      ? { behavior: 'allow', updatedInput: input }
      : { behavior: 'deny', message: text ?? 'A person said no. Find another way.' },
  );
}

/** Nothing shorter says exactly what it is. */
function whole(kind: PermissionRequest['kind'], tool: string, input: Input): PermissionRequest {
  const words = JSON.stringify(input);
  return { kind, title: `${tool} ${words.length <= 10_000 ? words : `${words.slice(0, 9_999)}…`}` };
}
