/**
 * The tools that a running agent has of czar: what `czar emit` says, with the same words, refusals and report file, and
 * what it may know of its dependencies. Pure but for that file; nothing here speaks a protocol.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { parseObject } from '../process/report-file.ts';
import { emit, waitForAnswer, type EmitResult } from './emit.ts';

/** What a tool says; `refused` when what was asked did not happen. */
export interface ToolResult {
  readonly text: string;
  readonly refused: boolean;
}

/** Where a tool is called. */
export interface ToolCall {
  readonly env: NodeJS.ProcessEnv;
  /** The caller waits no longer. */
  readonly signal?: AbortSignal;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  /** Whether it changes nothing. */
  readonly reads: boolean;
  readonly input: z.ZodObject;
  /** `given` is what `input` has let pass. */
  readonly call: (given: Readonly<Record<string, unknown>>, call: ToolCall) => Promise<ToolResult>;
}

/** One dependency of a worker, as its attempt is told. */
export interface ToldDependency {
  readonly id: string;
  readonly kind: string;
  readonly requires: string;
  readonly state: string;
  readonly role: string | null;
  readonly handoff: string | null;
}

const text = (what: string): z.ZodString => z.string().min(1).describe(what);
const figure = z.number().min(0).max(1e12);

/** Every tool, in the order in which they are listed. */
export const tools: readonly Tool[] = [
  said(
    'task_start',
    'task',
    'Say that you begin a task of your list.',
    'the task, as it is listed',
  ),
  said(
    'task_complete',
    'task',
    'Say that a task of your list is done.',
    'the task, as it is listed',
  ),
  said('checkpoint', 'name', 'Say that you have come so far.', 'what is reached'),
  said(
    'blocked',
    'reason',
    'Say that you cannot go on until a person acts. Then end your turn.',
    'what stands in the way',
  ),
  {
    name: 'ask',
    description:
      'Ask a person. Without wait: end your turn after it, the answer comes with your next prompt. With wait: the answer is the result of this call, or that nobody gave one in time.',
    reads: false,
    input: z.strictObject({
      question: text('the question'),
      wait: z.string().optional().describe('how long to wait for the answer, such as 10m'),
    }),
    call: async ({ question, wait }, { env, signal }) => {
      const waiting = typeof wait === 'string' ? ['--wait', wait] : [];
      const result = emit(['ask', ...waiting, '--', String(question)], env);
      return told(result.waits === undefined ? result : await waitForAnswer(result.waits, signal));
    },
  },
  {
    name: 'usage',
    description: 'Report tokens that you used and that nobody else counts.',
    reads: false,
    input: z.strictObject({
      input_tokens: figure.optional(),
      output_tokens: figure.optional(),
      cached_tokens: figure.optional(),
      cost_usd: figure.optional(),
      model: z.string().optional(),
    }),
    call: async (given, { env }) => {
      const figures = Object.entries(given).flatMap(([name, value]) => [
        `--${name.replaceAll('_', '-')}`,
        String(value),
      ]);
      return told(emit(['usage', ...figures], env));
    },
  },
  said(
    'handoff',
    'text',
    'Write what the workers after you need to know. A later one takes the place of the one before.',
    'Markdown',
  ),
  {
    name: 'list_dependencies',
    description:
      'The workers that you depend on: how far they have come, and whether they left a handoff.',
    reads: true,
    input: z.strictObject({}),
    call: async (_given, call) => {
      const found = dependencies(call);
      if ('text' in found) return found;
      const list = found.map(({ handoff, ...rest }) => ({ ...rest, handoff: handoff !== null }));
      return { text: JSON.stringify(list), refused: false };
    },
  },
  {
    name: 'read_handoff',
    description: 'What a worker that you depend on has left for you to know.',
    reads: true,
    input: z.strictObject({ worker: text('its id') }),
    call: async ({ worker }, call) => {
      const found = dependencies(call);
      if ('text' in found) return found;
      const one = found.find(({ id }) => id === worker);
      if (one === undefined)
        return { text: `You do not depend on a worker ${String(worker)}.`, refused: true };
      return one.handoff === null
        ? { text: `${one.id} has left no handoff.`, refused: true }
        : { text: one.handoff, refused: false };
    },
  },
];

/** A tool that says one text, as `czar emit` of the same name does. */
function said(name: string, key: string, description: string, what: string): Tool {
  const kind = name.replaceAll('_', '-');
  return {
    name,
    description,
    reads: false,
    input: z.strictObject({ [key]: text(what) }),
    call: async (given, { env }) => told(emit([kind, '--', String(given[key])], env)),
  };
}

function told({ exit, stdout, stderr }: EmitResult): ToolResult {
  const words = (exit === 0 ? stdout : stderr.replace(/^czar emit: /, '')).trim();
  return { text: words === '' ? 'Recorded.' : words, refused: exit !== 0 };
}

function dependencies({ env }: ToolCall): readonly ToldDependency[] | ToolResult {
  const file = join(dirname(env['CZAR_REPORT_FILE'] ?? ''), 'dependencies.json');
  const gone = { text: 'What you depend on cannot be read.', refused: true };
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  const { dependencies: list } = parseObject(content) ?? {};
  const read = z.array(dependencySchema).safeParse(list);
  return read.success ? read.data : gone;
}

const dependencySchema: z.ZodType<ToldDependency> = z.object({
  id: z.string(),
  kind: z.string(),
  requires: z.string(),
  state: z.string(),
  role: z.string().nullable(),
  handoff: z.string().nullable(),
});
