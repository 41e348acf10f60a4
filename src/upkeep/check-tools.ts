/** The programs that czar needs, and those that the plan names. */
import { agentProblem } from '../plan/load.ts';
import { hasErrors } from '../plan/diagnostics.ts';
import { replaceable } from '../daemon/missing-agents.ts';
import { which } from '../process/which.ts';
import { git } from '../git/git.ts';
import { groupParents } from '../process/control-group.ts';
import { systemFacts } from '../process/table.ts';
import { ok, problem, warn, type Finding, type Patient } from './finding.ts';

/** Oldest git that merges off to the side. */
const oldest = [2, 38] as const;

/**
 * First releases that refuse what a hostile repository can do to a git that clones it (CVE-2024-32002, -32004, -32020,
 * -32021, as the announcement of git 2.45.1 lists them): patch level by minor version of 2.x. Later ones have it.
 */
const mended: ReadonlyMap<number, number> = new Map([
  [39, 4],
  [40, 2],
  [41, 1],
  [42, 2],
  [43, 4],
  [44, 1],
  [45, 1],
]);

/** Git, Node and the agents of the plan. */
export async function checkTools(patient: Patient): Promise<readonly Finding[]> {
  const said = await git(['version'], { cwd: patient.place.root });
  const version = said.code === 0 ? said.stdout.toString('utf8').trim() : null;
  return [
    gitFinding(version, said.stderr),
    nodeFinding(process.versions.node),
    platformFinding(systemFacts.platform),
    limitsFinding(groupParents()),
    ...planFindings(patient),
  ];
}

/** What is to be said of a git that calls itself so; null when it cannot be run. */
export function gitFinding(version: string | null, trouble = ''): Finding {
  if (version === null)
    return problem('git', {
      what: trouble === '' ? 'git cannot be run' : trouble,
      next: 'install git 2.38 or newer',
    });
  const [, ...parts] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  const [major = 0, minor = 0, patch = 0] = parts.map((part) => Number(part ?? 0));
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1]))
    return problem('git', {
      what: `${version} is too old: czar needs 2.38 or newer`,
      next: 'install a newer git',
    });
  const safe = major > 2 || minor > 45 || patch >= (mended.get(minor) ?? Infinity);
  if (safe) return ok('git', version);
  return warn('git', {
    what: `${version} may lack fixes for what a hostile repository does to a git that clones it (CVE-2024-32002 and others)`,
    next: 'install 2.45.1 or newer, or make sure that your system has brought the fixes into this one',
  });
}

/** What is to be said of this Node. */
export function nodeFinding(version: string): Finding {
  return Number(version.split('.')[0]) >= 24
    ? ok('node', `Node ${version}`)
    : problem('node', {
        what: `Node ${version} is too old: czar needs 24 or newer`,
        next: 'install a newer Node',
      });
}

/** What this platform cannot do as well as another. */
export function platformFinding(platform: 'proc' | 'ps'): Finding {
  if (platform === 'ps')
    return warn('platform', {
      what: 'the environment of processes cannot be read here: what an agent started and left behind is found only as long as it is its child or in its process group, and who has files open is not shown',
      next: 'on Linux more of it is found',
    });
  return warn('platform', {
    what: 'agents run as you, in no PID namespace of their own (bwrap and unshare are not used): without a control group, a process that leaves its parent, its group and its environment is not found when its agent is stopped',
    next: 'run czar in a container of its own when agents are not trusted',
  });
}

/** Who holds attempts to `limits` here: the kernel, for what a control group can be made, or looks now and then. */
export function limitsFinding({ pids, memory }: ReturnType<typeof groupParents>): Finding {
  if (pids !== null && memory !== null)
    return ok('limits', 'the kernel holds attempts to their processes and memory (control groups)');
  const looked = [
    ...(pids === null ? ['processes'] : []),
    ...(memory === null ? ['memory'] : []),
  ].join(' and ');
  return warn('limits', {
    what: `no control group can be made here for ${looked} of an attempt: czar looks every two seconds and ends what is over its limit, and what an agent hid is neither counted nor surely ended`,
    next: 'on Linux, run czar where it may make control groups (as root, or under systemd as a service of your own)',
  });
}

function planFindings({ plan, place, env }: Patient): readonly Finding[] {
  if (!place.home.exists)
    return [
      warn('plan', { what: 'there is no home yet', where: place.home.name, next: 'czar init' }),
    ];
  const errors = plan.diagnostics.filter((one) => one.severity === 'error');
  const [first] = errors;
  if (hasErrors(plan.diagnostics) && first !== undefined)
    return [
      problem('plan', {
        what: `the plan has ${errors.length} error${errors.length === 1 ? '' : 's'}: ${first.message}`,
        where: `${first.file}:${first.line}`,
        next: 'czar validate',
      }),
    ];
  if (plan.plan === null)
    return [warn('plan', { what: 'there is no worker yet', next: 'czar add "TEXT"' })];
  const { workers, agents } = plan.plan;
  const without = agentProblem(plan.plan);
  const replaced = replaceable(plan.plan, { path: env['PATH'] ?? '', root: place.root });
  const missing = Object.values(agents).flatMap((agent): readonly Finding[] => {
    const [program = ''] = agent.command;
    const found = which({ program, path: env['PATH'] ?? '', cwd: place.root });
    if ('path' in found) return [];
    const of = workers.filter((worker) => worker.agent.name === agent.name);
    const alone = of.filter(({ fallback = [] }) => fallback.every((name) => replaced.has(name)));
    if (alone.length === 0)
      return [
        warn('agents', {
          what: `the agent ${agent.name} cannot be started: ${found.missing}; others work in its place`,
          where: `agents.define.${agent.name}.command`,
          next: 'czar plan show says who',
        }),
      ];
    return [
      problem('agents', {
        what: `the agent ${agent.name} cannot be started: ${found.missing} (needed by ${shown(alone.map(({ id }) => id))})`,
        where: `agents.define.${agent.name}.command`,
        next: `install ${program}, or change agents.define.${agent.name}.command`,
      }),
    ];
  });
  return [
    ok('plan', `${workers.length} worker${workers.length === 1 ? '' : 's'}, no error`),
    ...(without === null ? [] : [problem('agents', { what: without, next: 'czar plan show' })]),
    ...missing,
    ...(without === null && missing.length === 0
      ? [ok('agents', `all there: ${Object.keys(agents).join(', ')}`)]
      : []),
  ];
}

function shown(ids: readonly string[]): string {
  return ids.length > 5
    ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more`
    : ids.join(', ');
}
