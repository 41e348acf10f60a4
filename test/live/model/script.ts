/**
 * What the scripted model says. A prompt holds a marker such as `[[model: commit f.txt]]`; the last marker of the
 * conversation is the script, and the tool calls after it are how far it has come. So the model remembers nothing, and
 * goes on rightly in a session that another process took up again.
 *
 * Scripts: `commit FILE`, `report FILE` (tells czar that it made it, and commits it), `write FILE` (with the tool for files, then commits it), `run COMMAND`, `turns N` (a command
 * each), `plan` (a list of tasks, when there is a tool for it), `tasks` (tools that make a task and change it), `tool NAME` (the first tool of such a name), `slow N`
 * (pieces of text), `recall` (how many markers it sees), `http STATUS`.
 */

/** A part of a conversation, whatever protocol it came in. */
export interface Item {
  readonly kind: 'user' | 'assistant' | 'call' | 'result';
  readonly text: string;
}

/** A tool that the agent offers. */
export interface Tool {
  readonly name: string;
  /** Name of the group that it is in; null without one. */
  readonly group: string | null;
  /** JSON schema of its arguments; null for one that takes plain text. */
  readonly schema: Schema | null;
}

/** As much of a JSON schema as is looked at. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
}

/** What an agent asks. */
export interface Question {
  readonly items: readonly Item[];
  readonly tools: readonly Tool[];
  /** Where it says that it works; null when it does not. */
  readonly folder: string | null;
}

/** Tokens of an answer: the sum of several and the last of them can be told apart. */
export interface Tokens {
  readonly fresh: number;
  readonly cached: number;
  readonly written: number;
}

export interface Call {
  readonly tool: Tool;
  readonly args: Readonly<Record<string, unknown>> | string;
}

export type Answer =
  | {
      readonly kind: 'answer';
      readonly text: string;
      /** Pieces that the text comes in, slowly; 0 for at once. */
      readonly pieces: number;
      readonly call: Call | null;
      readonly tokens: Tokens;
    }
  | { readonly kind: 'error'; readonly status: number };

const marker = /\[\[model: (\w+) ?([^\]\n]*)\]\]/g;

/** The next answer. Pure. */
export function answerTo(question: Question): Answer {
  const { items, tools } = question;
  const marked = items.flatMap(({ kind, text }, at) =>
    kind === 'user' ? [...text.matchAll(marker)].map((found) => ({ at, found })) : [],
  );
  const last = marked.at(-1);
  // Titles and summaries are asked for without tools, and without the prompt.
  if (last === undefined || tools.length === 0) return small;
  const after = items.slice(last.at + 1);
  const step = after.filter(({ kind }) => kind === 'call').length;
  const result = after.findLast(({ kind }) => kind === 'result')?.text ?? '';
  const [, script = '', argument = ''] = last.found;
  const tokens = { fresh: 1000 + 100 * step, cached: 500 * step, written: 40 + step };
  const plain = { kind: 'answer', pieces: 0, call: null, tokens } as const;
  const say = (text: string): Answer => ({ ...plain, text });
  const use = (call: Call | null): Answer =>
    call === null
      ? say('There is no tool for it.')
      : { ...plain, text: `Step ${step} of ${script}.`, call };
  const shell = (command: string): Answer => use(shellCall(tools, command));
  switch (script) {
    case 'commit':
      return step === 0
        ? shell(`echo made by the model | tee ${argument} && ${commit(argument)}`)
        : say(`Committed ${argument}. The tool said: ${result.slice(0, 200)}`);
    case 'report':
      return step === 0
        ? shell(
            `czar emit checkpoint ${argument} && echo reported | tee ${argument} && ${commit(argument)}`,
          )
        : say(`Reported ${argument}. The tool said: ${result.slice(0, 200)}`);
    case 'write':
      if (step === 0) return use(writeCall(tools, question.folder, argument));
      return step === 1
        ? shell(commit(argument))
        : say(`Wrote ${argument}. The tool said: ${result.slice(0, 200)}`);
    case 'run':
      return step === 0 ? shell(argument) : say(`Ran it. The tool said: ${result.slice(0, 200)}`);
    case 'turns':
      return step < Number(argument) ? shell(`echo turn ${step}`) : say(`${step} turns.`);
    case 'plan':
      return step === 0 ? use(planCall(tools)) : say('Planned.');
    case 'tasks':
      return step < taskSteps.length ? use(taskCall(tools, step)) : say('Kept the list.');
    case 'tool':
      if (step === 0) return use(namedCall(tools, argument) ?? searchCall(tools, argument));
      return step === 1 && after.some(({ kind, text }) => kind === 'call' && isSearch(text))
        ? use(namedCall(tools, argument) ?? foundCall(argument))
        : say(`The tool said: ${result.slice(0, 200)}`);
    case 'slow':
      return { ...plain, text: 'Slowly. ', pieces: Number(argument) };
    case 'recall':
      return say(`I see ${marked.length} markers.`);
    case 'http':
      return { kind: 'error', status: Number(argument) };
    default:
      return say(`There is no script ${script}.`);
  }
}

const small: Answer = {
  kind: 'answer',
  text: 'A title',
  pieces: 0,
  call: null,
  tokens: { fresh: 10, cached: 0, written: 3 },
};

function commit(file: string): string {
  return `git add ${file} && git commit -q -m 'feat: add ${file}' && git rev-parse --short HEAD`;
}

/** Names of tools that run a command, best first. */
const shells = [/^bash$/i, /^(exec_command|run_shell_command|shell_command|shell)$/, /shell|bash/i];

function shellCall(tools: readonly Tool[], command: string): Call | null {
  const tool = find(tools, shells);
  const known = tool?.schema?.properties ?? {};
  if (tool === null) return null;
  const takes = known['command'] ?? known['cmd'];
  const words = [takes?.type ?? 'string'].flat().map((type) => type.toLowerCase());
  const value = words.includes('array') ? ['bash', '-lc', command] : command;
  return {
    tool,
    args: filled(tool.schema, { command: value, cmd: value, description: 'A scripted step.' }),
  };
}

const writers = [/^write$/i, /^write_file$/, /^create(_file)?$/, /^apply_patch$/];

function writeCall(tools: readonly Tool[], folder: string | null, file: string): Call | null {
  const tool = find(tools, writers);
  if (tool === null) return null;
  const content = 'made by the model\n';
  const path = folder === null ? file : `${folder}/${file}`;
  return {
    tool,
    args:
      tool.schema === null
        ? `*** Begin Patch\n*** Add File: ${file}\n+${content}*** End Patch`
        : filled(tool.schema, { file_path: path, filePath: path, path, content }),
  };
}

const planners = [/^todo_?write$/i, /^write_todos$/i, /^update_plan$/i, /^taskcreate$/i];

function planCall(tools: readonly Tool[]): Call | null {
  const tool = find(tools, planners);
  if (tool === null) return null;
  const list = [
    ['Read the plan', 'completed'],
    ['Write the code', 'in_progress'],
    ['Run the tests', 'pending'],
  ].map(([content, status], at) => ({
    id: String(at + 1),
    content,
    step: content,
    description: content,
    activeForm: content,
    priority: 'medium',
    status,
  }));
  const [property = 'todos'] = ['todos', 'plan', 'items'].filter(
    (name) => tool.schema?.properties?.[name] !== undefined,
  );
  const shape = tool.schema?.properties?.[property]?.items?.properties;
  const entries = list.map((entry) =>
    shape === undefined
      ? entry
      : Object.fromEntries(Object.entries(entry).filter(([name]) => name in shape)),
  );
  return {
    tool,
    args: filled(tool.schema, {
      [property]: entries,
      subject: 'Write the code',
      description: 'Write the code',
    }),
  };
}

const taskSteps = [
  ['TaskCreate', { subject: 'Write the code', description: 'All of it' }],
  ['TaskCreate', { subject: 'Run the tests', description: 'Twice' }],
  ['TaskUpdate', { taskId: '1', status: 'in_progress' }],
  ['TaskUpdate', { taskId: '1', status: 'completed' }],
  ['TaskUpdate', { taskId: '2', status: 'in_progress', subject: 'Run all tests' }],
  ['TaskUpdate', { taskId: '2', status: 'completed' }],
] as const;

function taskCall(tools: readonly Tool[], step: number): Call | null {
  const [name = '', given = {}] = taskSteps[step] ?? [];
  const tool = tools.find((one) => one.name === name) ?? null;
  return tool === null ? null : { tool, args: filled(tool.schema, given) };
}

function namedCall(tools: readonly Tool[], argument: string): Call | null {
  const [name = '', ...rest] = argument.split(' ');
  const tool = tools.find((one) => `${one.group ?? ''}${one.name}`.includes(name)) ?? null;
  if (tool === null) return null;
  const text = rest.join(' ');
  return { tool, args: filled(tool.schema, { text, task: text, name: text, message: text }) };
}

function isSearch(call: string): boolean {
  return /tool_?search/i.test(call);
}

/** Some agents tell of a tool only when it is searched for. */
function searchCall(tools: readonly Tool[], argument: string): Call | null {
  const tool = find(tools, [/^tool_?search$/i]);
  const query = `select:${foundName(argument)}`;
  return tool === null ? null : { tool, args: filled(tool.schema, { query }) };
}

function foundCall(argument: string): Call {
  const [, ...rest] = argument.split(' ');
  const tool = { name: foundName(argument), group: null, schema: {} };
  return { tool, args: { name: rest.join(' ') } };
}

function foundName(argument: string): string {
  return `mcp__czar__${argument.split(' ')[0] ?? ''}`;
}

function find(tools: readonly Tool[], names: readonly RegExp[]): Tool | null {
  for (const name of names) {
    const found = tools.find((tool) => name.test(tool.name));
    if (found !== undefined) return found;
  }
  return null;
}

/** What the schema knows of what is given, and something of the right type for what else it needs. */
function filled(
  schema: Schema | null,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const known = schema?.properties ?? {};
  const args = Object.fromEntries(Object.entries(given).filter(([name]) => name in known));
  for (const name of schema?.required ?? []) args[name] ??= sample(known[name]);
  return args;
}

function sample(schema: Schema | undefined): unknown {
  if (schema?.enum !== undefined) return schema.enum[0];
  switch ([schema?.type ?? 'string'].flat()[0]?.toLowerCase()) {
    case 'boolean':
      return false;
    case 'number':
    case 'integer':
      return 1;
    case 'array':
      return [];
    case 'object':
      return {};
    case undefined:
    default:
      return 'something';
  }
}
