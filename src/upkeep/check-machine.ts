/** The disk under the repository, and the state that the repository is in. */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { reserveOf } from '../core/disk-space.ts';
import type { Machine } from '../core/events.ts';
import type { Plan } from '../core/plan.ts';
import { inspectRepository } from '../git/repository.ts';
import { unsupportedIn } from '../git/unsupported.ts';
import { checkRoot } from '../gates/check-environment.ts';
import { networkFileSystem } from '../journal/file-system.ts';
import { lookAtMachine } from '../plan/machine.ts';
import { lowDiskText } from '../report/low-disk.ts';
import { ok, problem, warn, type Finding, type Patient } from './finding.ts';

const warnBytes = 1024 ** 3;
const problemBytes = 100 * 1024 ** 2;

/** File system, space, and whether czar works in the repository as it is. */
export async function checkMachine(patient: Patient): Promise<readonly Finding[]> {
  const { place, env } = patient;
  const folders = [place.commonDir, place.home.path, checkRoot({ ...env })].map(nearestFolder);
  return [
    ...fileSystems(place.commonDir, nearestFolder(place.home.path)),
    ...writableFindings([...new Set(folders)]),
    ...spaceFindings([...new Set(folders)].map((folder) => ({ folder, free: freeBytes(folder) }))),
    ...reserveFindings(patient.plan.plan, {
      folder: place.home.path,
      machine: lookAtMachine([nearestFolder(place.home.path), place.commonDir]),
    }),
    ...(await repositoryFindings(patient)),
  ];
}

/** Folders that nothing can be written into: the log, the trees or the checks would have no place. */
export function writableFindings(folders: readonly string[]): readonly Finding[] {
  return folders.flatMap((folder): readonly Finding[] => {
    try {
      if (!statSync(folder).isDirectory())
        return [problem('folders', { what: 'a file is in the way of a folder', where: folder })];
      accessSync(folder, constants.W_OK | constants.X_OK);
      return [];
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
      return [
        problem('folders', {
          what: `nothing can be written here${why}`,
          where: folder,
          next: 'make it writable, or mount it so; the cache is where XDG_CACHE_HOME says',
        }),
      ];
    }
  });
}

/** That nothing would start on this machine, for want of the space that the configuration keeps free. */
export function reserveFindings(
  plan: Pick<Plan, 'policies'> | null,
  of: { readonly folder: string; readonly machine: Machine | null },
): readonly Finding[] {
  const { folder, machine } = of;
  if (plan === null || machine === null) return [];
  const reserve = reserveOf(plan.policies, machine);
  if (machine.free >= reserve) return [];
  return [
    problem('disk reserve', {
      what: lowDiskText({ free: machine.free, reserve }),
      where: folder,
      next: 'free some space, or lower disk_reserve: czar config explain disk_reserve',
    }),
  ];
}

/** What is to be said of so much free space. */
export function spaceFindings(
  places: readonly { readonly folder: string; readonly free: number | null }[],
): readonly Finding[] {
  const short = places.flatMap(({ folder, free }): readonly Finding[] => {
    if (free === null)
      return [warn('disk space', { what: 'the free space cannot be told', where: folder })];
    if (free >= warnBytes) return [];
    const of = {
      what: `only ${megabytes(free)} are free`,
      where: folder,
      next: 'free some space; czar prune --dry-run lists what old runs hold',
    };
    return [free < problemBytes ? problem('disk space', of) : warn('disk space', of)];
  });
  if (short.length > 0) return short;
  return [
    ok(
      'disk space',
      `at least ${megabytes(Math.min(...places.map(({ free }) => free ?? 0)))} are free`,
    ),
  ];
}

function fileSystems(commonDir: string, home: string): readonly Finding[] {
  const log = networkFileSystem(commonDir);
  if (log !== null)
    return [
      problem('file system', {
        what: `the repository lies on a network file system (${log}), where locks cannot be trusted`,
        where: commonDir,
        next: 'keep it on a local disk',
      }),
    ];
  const trees = networkFileSystem(home);
  if (trees !== null)
    return [
      warn('file system', {
        what: `working trees lie on a network file system (${trees}), which is slow`,
        where: home,
      }),
    ];
  return [ok('file system', 'local')];
}

async function repositoryFindings({ place, git }: Patient): Promise<readonly Finding[]> {
  const found = await inspectRepository({ directory: place.root });
  if (found.kind === 'failed')
    return [problem('repository', { what: found.error, where: place.root })];
  if (found.kind === 'refused')
    return [
      found.passing
        ? warn('repository', {
            what: `czar run is refused now: ${found.reason}`,
            where: place.root,
          })
        : problem('repository', { what: found.reason, where: place.root }),
    ];
  const unsupported = await unsupportedIn(git, found.facts.head);
  if (unsupported.kind === 'failed')
    return [problem('repository', { what: unsupported.error, where: place.root })];
  const { submodules, filters } = unsupported;
  const held = [
    ...submodules.map((path) => `the submodule ${path}`),
    ...filters.map((name) => `files through the filter ${name}`),
  ];
  if (held.length > 0)
    return [
      problem('repository', {
        what: `czar run is refused: the commit has ${held.join(', ')}`,
        where: found.facts.head.slice(0, 10),
      }),
    ];
  return [
    ok('repository', `${found.facts.branch ?? 'no branch'} at ${found.facts.head.slice(0, 10)}`),
  ];
}

/** The folder, or the nearest above it that exists. */
function nearestFolder(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function megabytes(bytes: number): string {
  return bytes >= 10 * 1000 ** 3
    ? `${Math.floor(bytes / 1000 ** 3)} GB`
    : `${Math.floor(bytes / 1000 ** 2)} MB`;
}
