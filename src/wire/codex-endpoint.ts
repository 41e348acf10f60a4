/**
 * Where Codex is set up to send its requests, by its own `config.toml` and `auth.json`. Pure.
 *
 * Of TOML only what these keys need is read: tables, dotted keys and texts in quotes.
 */
import { parseObject } from '../process/report-file.ts';

/** The endpoint, and which provider of its configuration it belongs to. */
export interface CodexEndpoint {
  /** Null for the one that is built in, which has a key of its own. */
  readonly provider: string | null;
  readonly url: string;
}

/**
 * Its endpoint; null when that is not to be had: it is logged in with ChatGPT, or its provider names no address.
 * `chosen`: the provider that it is told to take instead of the one in its configuration.
 */
export function codexEndpoint(config: string, auth: string, chosen?: string): CodexEndpoint | null {
  const values = textsOf(config);
  const provider = chosen ?? values.get('model_provider') ?? 'openai';
  if (provider !== 'openai') {
    // What its arguments can name.
    if (!/^[\w-]+$/.test(provider)) return null;
    const url = values.get(`model_providers.${provider}.base_url`);
    return url === undefined ? null : { provider, url };
  }
  const given = values.get('openai_base_url');
  const login = parseObject(auth) ?? {};
  const isChat = typeof login['tokens'] === 'object' && login['tokens'] !== null;
  if (given === undefined && isChat && typeof login['OPENAI_API_KEY'] !== 'string') return null;
  const url = given ?? 'https://api.openai.com/v1';
  return { provider: null, url };
}

function textsOf(toml: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let table = '';
  for (const line of toml.split('\n')) {
    const header = /^\s*\[\s*([^[\]]+?)\s*\]\s*(?:#.*)?$/.exec(line)?.[1];
    if (header !== undefined) {
      table = `${plainKey(header)}.`;
      continue;
    }
    const [, key, basic, literal] =
      /^\s*([\w.\-"' ]+?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(?:#.*)?$/.exec(line) ?? [];
    if (key === undefined) continue;
    const text = basic === undefined ? literal : unescaped(basic);
    if (text !== undefined) values.set(table + plainKey(key), text);
  }
  return values;
}

function plainKey(key: string): string {
  return key
    .split('.')
    .map((part) => part.trim().replace(/^(["'])(.*)\1$/, '$2'))
    .join('.');
}

function unescaped(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(`"${text}"`);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
