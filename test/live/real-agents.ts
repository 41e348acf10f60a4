/**
 * The real agents that are installed for a test, how each is told of the scripted model, and a scratch repository that
 * they work in. Nothing of the machine's own logins or settings reaches them.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { Scratch } from '../support/scratch.ts';
import { startModel, type ModelServer } from './model/server.ts';

/** `node_modules` of the folder where they are installed. */
const modules = join(
  process.env['CZAR_LIVE_AGENTS'] ?? join(import.meta.dirname, 'agents'),
  'node_modules',
);

/** Names of agents that can be tested, in the order in which they are. */
export const names = [
  'claude',
  'codex',
  'claude-agent-acp',
  'codex-acp',
  'qwen',
  'gemini',
  'opencode',
] as const;

export type Name = (typeof names)[number];

/** The program of an agent; null when it is not installed. */
function programOf(name: Name): string | null {
  const own = join(modules, '.bin', name);
  if (existsSync(own)) return own;
  // The adapter of Claude Code brings Claude Code with it.
  const scope = join(modules, '@anthropic-ai');
  const brought =
    name === 'claude' && existsSync(scope)
      ? readdirSync(scope).map((folder) => join(scope, folder, 'claude'))
      : [];
  return brought.find((file) => existsSync(file)) ?? null;
}

/** Those that are installed. */
export const installed: readonly Name[] = names.filter((name) => programOf(name) !== null);

/** Variables that an agent is given beside those that czar knows of. */
const extra: Partial<Record<Name, readonly string[]>> = {
  claude: ['CLAUDE_CODE_MAX_RETRIES', 'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC'],
  'claude-agent-acp': ['CLAUDE_CODE_MAX_RETRIES', 'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC'],
};

/** A scratch repository with these agents, and a model that they ask. */
export class Live implements AsyncDisposable {
  readonly scratch: Scratch;
  readonly model: ModelServer;

  private constructor(scratch: Scratch, model: ModelServer) {
    this.scratch = scratch;
    this.model = model;
  }

  /** Makes it; `yaml` is added to the configuration. */
  static async make(yaml = ''): Promise<Live> {
    // Codex starts no sandbox when its home is below /tmp.
    const scratch = await Scratch.make({ within: '/var/tmp' });
    const model = await startModel();
    const bin = join(scratch.base, 'bin');
    mkdirSync(bin);
    for (const name of installed) symlinkSync(programOf(name) ?? '', join(bin, name));
    Object.assign(scratch.env, settings(model.url), {
      PATH: `${bin}${delimiter}${scratch.env['PATH'] ?? ''}`,
      CODEX_HOME: join(scratch.base, 'home/.codex'),
    });
    mkdirSync(join(scratch.base, 'home/.codex'));
    writeFileSync(join(scratch.base, 'home/.codex/config.toml'), codexConfig(model.url));
    const define = installed.map(
      (name) => `    ${name}: {env: [${(extra[name] ?? []).join(', ')}]}`,
    );
    scratch.write(
      '.czar/config.yaml',
      `agents:\n  default: ${installed[0]}\n  define:\n${define.join('\n')}\n` +
        `allow: ['git *', 'echo *', 'tee *', 'tail *', 'sh work.sh', 'czar emit *']\n${yaml}`,
    );
    return new Live(scratch, model);
  }

  /** A worker whose agent is told this script. */
  worker(id: string, agent: Name, script: string, yaml = ''): void {
    this.scratch.worker(id, `agent: ${agent}\n${yaml}`, `Do this: [[model: ${script}]]\n`);
  }

  /** Everything that the attempt printed. */
  output(worker: string, attempt = 1): string {
    const runs = join(this.scratch.repo, '.czar/runs');
    const [run = ''] = readdirSync(runs).filter((name) => /^\d/.test(name));
    return readFileSync(join(runs, run, worker, String(attempt), 'output'), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scratch[Symbol.asyncDispose]();
    await this.model[Symbol.asyncDispose]();
  }
}

function settings(url: string): Readonly<Record<string, string>> {
  const provider = {
    npm: '@ai-sdk/openai-compatible',
    options: { baseURL: `${url}/v1`, apiKey: 'x' },
    models: {
      scripted: {
        name: 'scripted',
        cost: { input: 1, output: 2, cache_read: 0.5 },
        limit: { context: 100_000, output: 1_000 },
      },
    },
  };
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'sk-scripted',
    CLAUDE_CODE_MAX_RETRIES: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    OPENAI_API_KEY: 'scripted',
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_MODEL: 'scripted',
    GEMINI_API_KEY: 'scripted',
    GEMINI_MODEL: 'gemini-2.5-pro',
    GOOGLE_GEMINI_BASE_URL: url,
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      provider: { scripted: provider },
      model: 'scripted/scripted',
    }),
    OPENCODE_DISABLE_MODELS_FETCH: '1',
  };
}

function codexConfig(url: string): string {
  return `model = "gpt-5"
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "${url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
`;
}
