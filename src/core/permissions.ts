/** What agents may do without asking: what the plan says, what is usual, and what that means for one request. */
import type { PermissionRequest } from './events.ts';
import type { Permissions, Plan } from './plan.ts';
import { simpleCommands } from './simple-commands.ts';

/** Version control, looking at things, and what usually builds and tests a project. `*` stands for anything. */
export const usualCommands: readonly string[] = [
  'git *',
  'ls',
  'ls *',
  'cat *',
  'head *',
  'tail *',
  'grep *',
  'rg *',
  'find *',
  'wc *',
  'pwd',
  'echo *',
  'diff *',
  'sort *',
  'mkdir *',
  'czar emit *',
  'npm test',
  'npm test *',
  'npm run *',
  'npm ci',
  'npm install',
  'npx tsc *',
  'pnpm *',
  'yarn *',
  'bun test *',
  'bun run *',
  'make',
  'make *',
  'just *',
  'cargo build *',
  'cargo test *',
  'cargo check *',
  'cargo clippy *',
  'cargo fmt *',
  'go build *',
  'go test *',
  'go vet *',
  'go fmt *',
  'pytest',
  'pytest *',
  'ruff *',
];

type Source = Pick<Plan, 'policies' | 'workers'>;

const known = new WeakMap<Source, Permissions>();

/**
 * What the agents of the plan may do: with `work` also the plan's own commands, since what judges work may be tried. Put
 * together once for each plan.
 */
export function permissionsOf(plan: Source): Permissions {
  const found = known.get(plan) ?? gathered(plan);
  known.set(plan, found);
  return found;
}

function gathered({ policies, workers }: Source): Permissions {
  const { policy, allow } = policies.permissions ?? { policy: 'work', allow: usualCommands };
  if (policy !== 'work') return { policy, allow };
  const own = [...policies.checks, ...policies.setup, ...workers.flatMap((one) => one.verify)];
  const lines = own.filter((command) => !command.includes('\n'));
  return { policy, allow: [...new Set([...allow, ...lines])] };
}

/** What becomes of a request: settled by the policy, or a person is asked. */
export type Permit = 'allow' | 'deny' | 'ask';

/**
 * What the policy says of a request. `tree` is the agent's working tree, absolute; paths of requests are absolute or
 * relative to it, and links in them are the caller's to resolve. With `edit` files in the tree are the agent's own, with
 * `work` also commands that match `allow`, and reading anywhere; with `full` everything. What git keeps in the tree is
 * never edited by hand: hooks and settings in it would run as commands.
 */
export function permit(
  { policy, allow }: Permissions,
  request: PermissionRequest,
  { tree }: { readonly tree: string },
): Permit {
  if (policy === 'full') return 'allow';
  // Nobody is asked on behalf of a reviewer.
  const unsettled = policy === 'read' ? 'deny' : 'ask';
  const { kind, command, path } = request;
  const inTree = path === undefined ? null : within(tree, path);
  switch (kind) {
    case 'edit':
      if (policy === 'read') return 'deny';
      if (inTree === '.git' || inTree?.startsWith('.git/') === true) return 'deny';
      return inTree === null || inTree === '' ? 'ask' : 'allow';
    case 'read':
      return policy !== 'edit' || inTree !== null ? 'allow' : 'ask';
    case 'command':
      return policy !== 'edit' && command !== undefined && isAllowed(command, allow, tree)
        ? 'allow'
        : unsettled;
    case 'fetch':
    case 'other':
      return unsettled;
  }
}

/** A request in one line: what exactly it is about. */
export function requestText({ title, command, path }: PermissionRequest): string {
  return command ?? path ?? title;
}

/** Written out as it is, or each command in it matches a pattern or goes to a folder of the tree. */
function isAllowed(line: string, allow: readonly string[], tree: string): boolean {
  const text = line.trim();
  if (allow.some((pattern) => pattern === text && !pattern.includes('*'))) return true;
  const commands = simpleCommands(text);
  if (commands === null) return false;
  return commands.every((command) => {
    const folder = /^cd (?:'([^']*)'|"([^"]*)"|([\w@%+=:,./-]+))$/.exec(command)?.slice(1);
    const to = folder?.find((one) => one !== undefined);
    if (to !== undefined && to !== '-' && within(tree, to) !== null) return true;
    return allow.some((pattern) => matches(pattern, command));
  });
}

/** Whether the text is what the pattern says, `*` for anything; in time that grows with the product of both at most. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  if (parts.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  const last = parts.pop() ?? '';
  let at = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** The path relative to the folder; null when it is outside. */
function within(folder: string, path: string): string | null {
  const whole = path.startsWith('/') ? path : `${folder}/${path}`;
  const names: string[] = [];
  for (const name of whole.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  const root = folder.split('/').filter((name) => name !== '');
  if (!root.every((name, index) => names[index] === name)) return null;
  return names.slice(root.length).join('/');
}
/** What a reviewer may do: look, and run what only shows. */
export const readOnly: Permissions = {
  policy: 'read',
  allow: [
    'git diff *',
    'git log *',
    'git show *',
    'git blame *',
    'ls',
    'ls *',
    'cat *',
    'head *',
    'tail *',
    'grep *',
    'rg *',
    'wc *',
    'pwd',
  ],
};
