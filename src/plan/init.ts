/**
 * A home from what is there: which agents are installed, how the project is prepared and tested. Nothing that exists
 * is changed.
 */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { createFile } from './create-file.ts';
import type { Home } from './home.ts';
import { knownAgents } from './known-agents.ts';

export interface Initialised {
  /** Files and folders made, relative to the root. */
  readonly made: readonly string[];
  /** What was there already and is left as it is. */
  readonly kept: readonly string[];
  readonly agents: readonly string[];
  readonly setup: readonly string[];
  readonly checks: readonly string[];
}

/** Makes the home's `config.yaml` and `workers` folder, or says what failed. `path` is the value of PATH. */
export function initHome(options: {
  readonly root: string;
  readonly home: Home;
  readonly path: string;
}): Initialised | { readonly error: string } {
  const { root, home } = options;
  const agents = [...knownAgents.keys()].filter((name) => onPath(name, options.path));
  const { setup, checks } = detectChecks(root);
  const made: string[] = [];
  const kept: string[] = [];
  const note = (name: string, isNew: boolean): void => void (isNew ? made : kept).push(name);
  const workers = join(home.path, 'workers');
  const hadWorkers = existsSync(workers);
  mkdirSync(workers, { recursive: true });
  note(`${home.name}/workers/`, !hadWorkers);
  const config = join(home.path, 'config.yaml');
  const hadConfig = existsSync(config);
  const failed = hadConfig ? null : createFile(config, configText({ agents, setup, checks }));
  if (failed !== null) return { error: `${home.name}/config.yaml cannot be written (${failed})` };
  note(`${home.name}/config.yaml`, !hadConfig);
  return { made, kept, agents, setup, checks };
}

/** Whether it is a program that, started without arguments, is there to be talked to. */
export function isConversation(program: string): boolean {
  return knownAgents.has(program);
}

function onPath(program: string, path: string): boolean {
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .some((folder) => {
      try {
        const file = join(folder, program);
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}

/** Commands that prepare and test the project, as far as its files say. */
export function detectChecks(root: string): {
  readonly setup: readonly string[];
  readonly checks: readonly string[];
} {
  const has = (name: string): boolean => existsSync(join(root, name));
  const setup: string[] = [];
  const checks: string[] = [];
  const manifest = has('package.json') ? scripts(join(root, 'package.json')) : null;
  if (manifest !== null) {
    const [tool, install] = has('pnpm-lock.yaml')
      ? ['pnpm', 'pnpm install --frozen-lockfile']
      : has('yarn.lock')
        ? ['yarn', 'yarn install --frozen-lockfile']
        : has('bun.lock')
          ? ['bun', 'bun install --frozen-lockfile']
          : ['npm', has('package-lock.json') ? 'npm ci' : 'npm install'];
    if (manifest.dependencies) setup.push(install);
    const { test } = manifest;
    if (test !== null && !test.includes('no test specified'))
      checks.push(tool === 'bun' ? 'bun run test' : `${tool} test`);
  }
  if (has('Cargo.toml')) checks.push('cargo test');
  if (has('go.mod')) checks.push('go test ./...');
  if (has('pytest.ini') || (has('pyproject.toml') && has('tests')))
    checks.push('python3 -m pytest');
  if (checks.length === 0 && has('Makefile') && /^test:/m.test(readText(join(root, 'Makefile')))) {
    checks.push('make test');
  }
  return { setup, checks };
}

function scripts(
  file: string,
): { readonly test: string | null; readonly dependencies: boolean } | null {
  try {
    const manifest: unknown = JSON.parse(readText(file));
    const test = member(member(manifest, 'scripts'), 'test');
    const dependencies = ['dependencies', 'devDependencies'].some(
      (key) => Object.keys(member(manifest, key) ?? {}).length > 0,
    );
    return { test: typeof test === 'string' ? test : null, dependencies };
  } catch {
    return null;
  }
}

function member(value: unknown, key: string): object | string | null {
  if (typeof value !== 'object' || value === null) return null;
  const found: unknown = Reflect.get(value, key);
  return typeof found === 'string' || (typeof found === 'object' && found !== null) ? found : null;
}

function readText(file: string): string {
  try {
    return statSync(file).size > 1_000_000 ? '' : readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function configText(found: {
  readonly agents: readonly string[];
  readonly setup: readonly string[];
  readonly checks: readonly string[];
}): string {
  const words = (list: readonly string[]): string =>
    `[${list.map((one) => JSON.stringify(one)).join(', ')}]`;
  const lines = [
    '# How czar runs this repository. Every key is optional; czar validate checks this file.',
    'max_parallel: 4        # agents at work at one time',
    '',
    '# Commands that prepare a fresh checkout, and commands that must pass on the combined tree before a merge.',
    `setup: ${words(found.setup)}`,
    `checks: ${words(found.checks)}`,
    '',
    '# Who does the work. czar agents lists those that are here.',
  ];
  if (found.agents.length === 0) {
    lines.push(
      '# No known agent was found on PATH. Any program will do:',
      '# agents:',
      '#   default: mine',
    );
    lines.push(
      '#   define:',
      '#     mine: {adapter: command, command: [./tools/agent.sh, "{prompt_file}"]}',
    );
  } else {
    lines.push('agents:', `  default: ${found.agents[0]}`);
    lines.push(
      '',
      '# What agents may do without asking: edit (files in their tree), work (also usual commands), full.',
      'permissions: work',
    );
  }
  return `${lines.join('\n')}\n`;
}
