/**
 * The tools that an agent uses. Agents tell a call in several updates, the first of them often empty: it is printed once
 * it says what is done, and once more with what came of it.
 */
import { objectIn, objectsIn, textIn, type Json } from '../agents/json-lines.ts';
import type { Print } from './lines.ts';

/** What is known of a call so far. */
export interface ToolCall {
  readonly id: string;
  title: string;
  /** The agent's own name of the tool; null when it does not tell it. */
  name: string | null;
  kind: string;
  input: Json;
  readonly paths: Set<string>;
  /** Output that came in pieces. */
  output: string;
  told: boolean;
}

export interface ToolCalls {
  /** Takes an update of a call, or a request about it; gives what is known of it. */
  readonly take: (update: Json) => ToolCall;
  /** Prints the call if it was not yet. */
  readonly tell: (call: ToolCall) => void;
}

/** Calls that are open at the same time; the oldest are forgotten. */
const mostOpen = 256;
/** Characters of output that are kept of a call. */
const mostOutput = 16 * 1024;

/** Follows the calls of a session. */
export function toolCalls(print: Print): ToolCalls {
  const open = new Map<string, ToolCall>();
  const tell = (call: ToolCall): void => {
    if (call.told) return;
    call.told = true;
    const { id, title, name, kind, input } = call;
    print({ type: 'tool', id, title, name, kind, input, paths: [...call.paths] });
  };
  return {
    tell,
    take(update) {
      const id = textIn(update, 'toolCallId') ?? '';
      const call = open.get(id) ?? opened(id);
      learn(call, update);
      const status = textIn(update, 'status');
      const says = Object.keys(call.input).some((name) => name !== 'cwd');
      const over = status === 'completed' || status === 'failed';
      if (says || over || status === 'in_progress') tell(call);
      if (!over) {
        open.set(id, call);
        if (open.size > mostOpen) open.delete(open.keys().next().value ?? '');
        return call;
      }
      open.delete(id);
      const diffs = objectsIn(update, 'content').filter((one) => textIn(one, 'type') === 'diff');
      print({
        type: 'result',
        id,
        ok: status === 'completed' && exitOf(update) === 0,
        text: outputOf(update) ?? call.output,
        diffs: diffs.map(({ path, oldText, newText }) => ({ path, old: oldText, new: newText })),
      });
      return call;
    },
  };
}

function opened(id: string): ToolCall {
  // One agent tells the name of the tool by the id of the call alone.
  const [, name = null] = /^([a-z_]+?)__\1_/.exec(id) ?? [];
  return {
    id,
    title: '',
    name,
    kind: 'other',
    input: {},
    paths: new Set(),
    output: '',
    told: false,
  };
}

function learn(call: ToolCall, update: Json): void {
  call.title = textIn(update, 'title') ?? call.title;
  call.name = textIn(update, 'name') ?? textIn(objectIn(update, '_meta'), 'toolName') ?? call.name;
  call.kind = textIn(update, 'kind') ?? call.kind;
  const input = objectIn(update, 'rawInput');
  if (Object.keys(input).length > 0) call.input = input;
  const places = [...objectsIn(update, 'locations'), ...objectsIn(update, 'content')];
  for (const place of places) {
    const path = textIn(place, 'path');
    if (path !== null && call.paths.size < 100) call.paths.add(path);
  }
  const piece = textIn(objectIn(objectIn(update, '_meta'), 'terminal_output_delta'), 'data');
  if (piece !== null && call.output.length < mostOutput) call.output += piece;
}

/** Its exit code where it is told; 0 where it is not. */
function exitOf(update: Json): number {
  const code = objectIn(objectIn(update, '_meta'), 'terminal_exit')['exit_code'];
  return typeof code === 'number' ? code : 0;
}

/** What came of a call, in words; null when the update says nothing of it. */
function outputOf(update: Json): string | null {
  const raw = textIn(update, 'rawOutput');
  if (raw !== null) return raw;
  const { output } = objectIn(update, 'rawOutput');
  if (typeof output === 'string') return output;
  const said = objectsIn(update, 'content')
    .map((one) => textIn(objectIn(one, 'content'), 'text'))
    .filter((text) => text !== null);
  return said.length === 0 ? null : said.join('\n');
}
