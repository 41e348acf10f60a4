/** What agents may do without asking, where the plan does not say it. */
import type { Permissions, Plan } from './plan.ts';

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

/** What the agents of the plan may do: with `work` also the plan's own commands, since what judges work may be tried. */
export function permissionsOf({
  policies,
  workers,
}: Pick<Plan, 'policies' | 'workers'>): Permissions {
  const { policy, allow } = policies.permissions ?? { policy: 'work', allow: usualCommands };
  if (policy !== 'work') return { policy, allow };
  const own = [...policies.checks, ...policies.setup, ...workers.flatMap((one) => one.verify)];
  const lines = own.filter((command) => !command.includes('\n'));
  return { policy, allow: [...new Set([...allow, ...lines])] };
}
