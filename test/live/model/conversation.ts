/** Reading of what agents send: the four protocols as one kind of question. */
import { objectIn, objectsIn, textIn, type Json } from '../../../src/agents/json-lines.ts';
import type { Item, Question, Schema, Tool } from './script.ts';

/** A protocol that models are spoken to in. */
export type Protocol = 'messages' | 'responses' | 'chat' | 'gemini';

/** What the body of a request asks. */
export function questionIn(protocol: Protocol, body: Json): Question {
  const { items, tools } = readers[protocol](body);
  const told = `${JSON.stringify(body)}`;
  return { items, tools, folder: folderIn(told) };
}

type Reader = (body: Json) => { readonly items: readonly Item[]; readonly tools: readonly Tool[] };

const readers: Readonly<Record<Protocol, Reader>> = {
  messages: (body) => ({
    items: objectsIn(body, 'messages').flatMap((message) =>
      contents(message).flatMap((block): Item[] => {
        switch (textIn(block, 'type')) {
          case 'tool_use':
            return [{ kind: 'call', text: textIn(block, 'name') ?? '' }];
          case 'tool_result':
            return [{ kind: 'result', text: textOf(block['content']) }];
          case null:
          default:
            return [said(message, block)];
        }
      }),
    ),
    tools: objectsIn(body, 'tools')
      .filter((tool) => 'input_schema' in tool)
      .map((tool) => named(tool, objectIn(tool, 'input_schema'))),
  }),
  responses: (body) => ({
    items: objectsIn(body, 'input').flatMap((item): Item[] => {
      const type = textIn(item, 'type') ?? 'message';
      if (type.endsWith('_call')) return [{ kind: 'call', text: '' }];
      if (type.endsWith('_output')) return [{ kind: 'result', text: textOf(item['output']) }];
      const role = textIn(item, 'role');
      return role === 'user' || role === 'assistant' ? [said(item, item)] : [];
    }),
    tools: objectsIn(body, 'tools').flatMap((tool): Tool[] => {
      switch (textIn(tool, 'type')) {
        case 'function':
          return [named(tool, objectIn(tool, 'parameters'))];
        case 'custom':
          return [named(tool, null)];
        case 'namespace': {
          const group = textIn(tool, 'name');
          return objectsIn(tool, 'tools').map((one) => ({
            ...named(one, objectIn(one, 'parameters')),
            group,
          }));
        }
        case null:
        default:
          return [];
      }
    }),
  }),
  chat: (body) => ({
    items: objectsIn(body, 'messages').flatMap((message): Item[] => {
      const role = textIn(message, 'role');
      if (role === 'tool') return [{ kind: 'result', text: textOf(message['content']) }];
      if (role !== 'user' && role !== 'assistant') return [];
      const calls = objectsIn(message, 'tool_calls').map((call): Item => ({
        kind: 'call',
        text: textIn(objectIn(call, 'function'), 'name') ?? '',
      }));
      return [said(message, message), ...calls];
    }),
    tools: objectsIn(body, 'tools').map((tool) => {
      const described = objectIn(tool, 'function');
      return named(described, objectIn(described, 'parameters'));
    }),
  }),
  gemini: (body) => ({
    items: objectsIn(body, 'contents').flatMap((content) =>
      objectsIn(content, 'parts').map((part): Item => {
        if ('functionCall' in part) return { kind: 'call', text: '' };
        if ('functionResponse' in part)
          return {
            kind: 'result',
            text: JSON.stringify(objectIn(part, 'functionResponse')['response']),
          };
        const kind = textIn(content, 'role') === 'model' ? 'assistant' : 'user';
        return { kind, text: textIn(part, 'text') ?? '' };
      }),
    ),
    tools: objectsIn(body, 'tools')
      .flatMap((tool) => objectsIn(tool, 'functionDeclarations'))
      .map((tool) => {
        const json = objectIn(tool, 'parametersJsonSchema');
        return named(tool, 'properties' in json ? json : objectIn(tool, 'parameters'));
      }),
  }),
};

function said(message: Json, block: Json): Item {
  const kind = textIn(message, 'role') === 'assistant' ? 'assistant' : 'user';
  return { kind, text: textOf(block['text'] ?? block['content']) };
}

/** The blocks of a message, also of one that is plain text. */
function contents(message: Json): readonly Json[] {
  const whole = textIn(message, 'content');
  return whole === null ? objectsIn(message, 'content') : [{ type: 'text', text: whole }];
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return content === undefined ? '' : JSON.stringify(content);
  return content.map((part) => textOf(part?.text ?? part?.content)).join('\n');
}

function named(tool: Json, schema: Json | null): Tool {
  return { name: textIn(tool, 'name') ?? '', group: null, schema: schema as Schema | null };
}

/** The folder that an agent's own words name as the one it works in. */
function folderIn(told: string): string | null {
  const [, found] =
    /(?:working directory|cwd|current directory|workspace)[^/\n]{0,60}?[:>`" ]+(\/[^\s<`"'\\]+)/i.exec(
      told,
    ) ?? [];
  return found?.replace(/[.,]$/, '') ?? null;
}
