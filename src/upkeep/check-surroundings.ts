/**
 * What lies around the working trees and does not come with the commit: files above them that tools pick up, and hooks
 * of the user's repository, which run on no agent's commit.
 */
import { accessSync, constants, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { git } from '../git/git.ts';
import { ok, warn, type Finding, type Patient } from './finding.ts';

/** Names that tools look for in all folders above the one they work in. */
const pickedUp =
  /^(?:node_modules|package\.json|tsconfig\.json|jsconfig\.json|CLAUDE(?:\.local)?\.md|AGENTS\.md|GEMINI\.md|\.mcp\.json|\.claude|\.cursorrules|\.npmrc|pnpm-workspace\.yaml|lerna\.json|nx\.json|turbo\.json|\.babelrc.*|babel\.config\..+|\.eslintrc.*|eslint\.config\..+|\.prettierrc.*|prettier\.config\..+|\.editorconfig|jest\.config\..+|vitest\.config\..+|pyproject\.toml|setup\.cfg|pytest\.ini|tox\.ini|conftest\.py|Cargo\.toml|\.cargo|rust-toolchain(?:\.toml)?|go\.work|Gemfile|\.tool-versions|\.nvmrc|\.node-version|\.python-version|\.env|\.envrc|mise\.toml|WORKSPACE|MODULE\.bazel)$/;

/** Those that tools read in addition to the nearer ones: a copy in the tree does not hide them. */
const added =
  /^(?:CLAUDE(?:\.local)?\.md|AGENTS\.md|GEMINI\.md|\.eslintrc.*|conftest\.py|pnpm-workspace\.yaml|Cargo\.toml|go\.work|\.cargo)$/;

/** Files above the working trees, and hook tools. */
export async function checkSurroundings(patient: Patient): Promise<readonly Finding[]> {
  return [...(await above(patient)), ...(await hooks(patient))];
}

async function above({ place }: Patient): Promise<readonly Finding[]> {
  const tracked = await trackedAtTop(place.root);
  const findings: Finding[] = [];
  let folder = join(place.home.path, 'worktrees');
  for (;;) {
    const names = namesIn(folder).filter((name) => pickedUp.test(name));
    // What the commit has at its top, the tree has too, and the nearer one counts.
    const seen =
      folder === place.root
        ? names.filter((name) => !tracked.has(name) || added.test(name))
        : names;
    if (seen.length > 0)
      findings.push(
        warn('above the trees', {
          what: `tools in working trees may pick up ${seen.join(', ')} from a folder above them`,
          where: folder,
          next:
            folder === place.root
              ? 'let `setup` make what the tree needs, so that nothing is taken from here'
              : 'move them, or keep the repository elsewhere',
        }),
      );
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return findings.length > 0
    ? findings
    : [ok('above the trees', 'nothing that tools would pick up')];
}

/** Names at the top of the checkout that git knows. */
async function trackedAtTop(root: string): Promise<ReadonlySet<string>> {
  const listed = await git(['ls-tree', '--name-only', '-z', 'HEAD'], { cwd: root, config: 'user' });
  return new Set(listed.code === 0 ? listed.stdout.toString('utf8').split('\0') : []);
}

async function hooks({ place, plan }: Patient): Promise<readonly Finding[]> {
  const found = [
    ...(await hooksPath(place.root)),
    ...toolsIn(place.root),
    ...hookFiles(join(place.commonDir, 'hooks')),
  ];
  if (found.length === 0) return [ok('hooks', 'none in use')];
  const checked = (plan.plan?.policies.checks.length ?? 0) > 0;
  return found.map((where): Finding => {
    const of = {
      what: 'hooks of this repository run on no commit of an agent and on no merge',
      where,
      next: 'what they check belongs into `checks` of config.yaml',
    };
    return checked
      ? { ...ok('hooks', 'hooks do not run for agents; `checks` judge every merge', where) }
      : warn('hooks', of);
  });
}

async function hooksPath(root: string): Promise<readonly string[]> {
  const args = ['config', '--show-scope', '--get-all', 'core.hooksPath'];
  const set = await git(args, { cwd: root, config: 'user' });
  const lines = set.code === 0 ? set.stdout.toString('utf8').trimEnd().split('\n') : [];
  // Our own calls turn hooks off by the same key, on the command line.
  const said = lines
    .filter((each) => !each.startsWith('command\t'))
    .at(-1)
    ?.split('\t')[1];
  return said === undefined || said === '' ? [] : [`core.hooksPath=${said}`];
}

function toolsIn(root: string): readonly string[] {
  const names = namesIn(root);
  const files = names.filter((name) =>
    /^(?:\.husky|\.pre-commit-config\.ya?ml|\.?lefthook(?:-local)?\.(?:ya?ml|toml|json)|\.lefthook|\.overcommit\.yml|\.githooks|\.simple-git-hooks\.c?js(?:on)?)$/.test(
      name,
    ),
  );
  return [...files, ...(names.includes('package.json') ? inManifest(root) : [])];
}

function inManifest(root: string): readonly string[] {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    if (typeof manifest !== 'object' || manifest === null) return [];
    return ['husky', 'lint-staged', 'simple-git-hooks', 'pre-commit']
      .filter((key) => Object.hasOwn(manifest, key))
      .map((key) => `package.json: ${key}`);
  } catch {
    return [];
  }
}

/** Hooks that git would run; samples are none. */
function hookFiles(folder: string): readonly string[] {
  return namesIn(folder)
    .filter((name) => !name.endsWith('.sample') && isExecutable(join(folder, name)))
    .map((name) => join(relative(dirname(dirname(folder)), folder), name));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
