/**
 * Which endpoints an attempt's agent asks, by the variables that it is given and its own configuration, and how it is
 * told to ask the proxy instead. Pure.
 */
import type { CodexEndpoint } from './codex-endpoint.ts';

export interface Detour {
  readonly endpoints: readonly URL[];
  /** Variables and arguments that lead the agent to the proxy; `at` is the address for an endpoint's number. */
  readonly lead: (at: Addresses) => {
    readonly variables: Readonly<Record<string, string>>;
    /** Arguments that go where its own have a place for them. */
    readonly args: readonly string[];
  };
}

export interface Addresses {
  /** With the token in its path. */
  readonly secret: (n: number) => string;
  /** Without it: it goes into a header. */
  readonly open: (n: number) => string;
}

/** Variable that holds the token, for agents that send it as a header. */
export const tokenVariable = 'CZAR_METER_TOKEN';

/**
 * Variables that hold an endpoint. Without one the usual is taken for granted only where nothing but the variable could
 * name another, and a key in the environment says that it is asked.
 */
const variables: Readonly<
  Record<string, { readonly usual: string; readonly key: string; readonly unless: string } | null>
> = {
  ANTHROPIC_BASE_URL: {
    usual: 'https://api.anthropic.com',
    key: 'ANTHROPIC_API_KEY',
    unless: 'CLAUDE_CODE_USE_BEDROCK',
  },
  GOOGLE_GEMINI_BASE_URL: {
    usual: 'https://generativelanguage.googleapis.com',
    key: 'GEMINI_API_KEY',
    unless: 'GOOGLE_GENAI_USE_VERTEXAI',
  },
  // Settings in files of Qwen Code and aider stand behind these, and would be passed over.
  OPENAI_BASE_URL: null,
  OPENAI_API_BASE: null,
};

/**
 * `names`: variables that the agent is given. `codex`: what it is set up with, when the agent is Codex; it takes other
 * settings by its arguments, its ACP adapter by a variable.
 */
export function detourOf(options: {
  readonly env: NodeJS.ProcessEnv;
  readonly names: readonly string[];
  readonly codex: CodexEndpoint | null;
}): Detour {
  const { env, names, codex } = options;
  const endpoints: URL[] = [];
  const add = (url: string): number | null => {
    const parsed = URL.parse(url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) return null;
    endpoints.push(parsed);
    return endpoints.length - 1;
  };
  const named = Object.entries(variables).flatMap(([name, known]) => {
    if (!names.includes(name)) return [];
    const isUsual =
      known !== null && set(env, known.key) !== null && set(env, known.unless) === null;
    const asked = set(env, name) ?? (isUsual ? known.usual : null);
    const n = asked === null ? null : add(asked);
    return n === null ? [] : [{ name, n }];
  });
  const opencode = names.includes('OPENCODE_CONFIG_CONTENT') ? opencodeDetour(env, add) : null;
  const own = codex === null ? null : add(codex.url);
  return {
    endpoints,
    lead: ({ secret, open }) => {
      const there = named.map(({ name, n }) => [name, secret(n)] as const);
      const content = opencode?.(secret) ?? null;
      const config = codex === null || own === null ? null : codexConfig(env, codex, secret(own));
      return {
        variables: {
          ...Object.fromEntries(there),
          ...(content === null ? {} : { OPENCODE_CONFIG_CONTENT: content }),
          ...(config === null ? {} : { CODEX_CONFIG: config }),
        },
        args: codex === null || own === null ? [] : codexArgs(codex, { secret, open }, own),
      };
    },
  };
}

/** Its arguments are there for all to see: where the token can be sent as a header it does not stand in them. */
function codexArgs(
  { provider }: CodexEndpoint,
  { secret, open }: Addresses,
  n: number,
): readonly string[] {
  if (provider === null) return ['-c', `openai_base_url=${JSON.stringify(secret(n))}`];
  const table = `model_providers.${provider}`;
  return [
    '-c',
    `${table}.base_url=${JSON.stringify(open(n))}`,
    '-c',
    `${table}.env_http_headers.x-czar-meter=${JSON.stringify(tokenVariable)}`,
  ];
}

/** What the ACP adapter of Codex is told by its variable, with another address; null when it is told nothing so. */
function codexConfig(
  env: NodeJS.ProcessEnv,
  { provider }: CodexEndpoint,
  url: string,
): string | null {
  const config = object(parsed(env['CODEX_CONFIG'] ?? ''));
  if (config === null) return null;
  if (provider === null) return JSON.stringify({ ...config, openai_base_url: url });
  const providers = object(config['model_providers']) ?? {};
  const changed = { ...object(providers[provider]), base_url: url };
  return JSON.stringify({ ...config, model_providers: { ...providers, [provider]: changed } });
}

/** The configuration of OpenCode that its variable holds, with other addresses; null when there is nothing to lead. */
function opencodeDetour(
  env: NodeJS.ProcessEnv,
  add: (url: string) => number | null,
): ((secret: Addresses['secret']) => string) | null {
  const config = object(parsed(env['OPENCODE_CONFIG_CONTENT'] ?? '{}'));
  if (config === null) return null;
  const providers = object(config['provider']) ?? {};
  // Those that it has built in may be told another address by its files: they are left alone.
  const led = Object.entries(providers).flatMap(([name, given]) => {
    const provider = object(given) ?? {};
    const options = object(provider['options']) ?? {};
    const url = options['baseURL'];
    const n = typeof url === 'string' ? add(url) : null;
    return n === null ? [] : [{ name, provider, options, n }];
  });
  if (led.length === 0) return null;
  return (secret) => {
    const changed = led.map(({ name, provider, options, n }) => [
      name,
      { ...provider, options: { ...options, baseURL: secret(n) } },
    ]);
    const all = { ...providers, ...Object.fromEntries(changed) };
    return JSON.stringify({ ...config, provider: all });
  };
}

function set(env: NodeJS.ProcessEnv, name: string): string | null {
  const value = env[name] ?? '';
  return value === '' ? null : value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}
