/**
 * Control groups (cgroups(7)) that hold what shims start: the kernel counts what is in one, refuses it more than its
 * limit, and tells of every process in it, whatever that did to hide.
 *
 * Owns folders named `czar.PID.START.N` beside or below the group of this process. A group is one folder of the unified
 * hierarchy, or one for each controller of the old ones. Invariants: no process is put into a group by another, a shim
 * goes in by itself; nothing but such folders is removed, and the kernel lets only empty ones go.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { LimitKind } from '../core/events.ts';
import type { AttemptLimits } from '../core/plan.ts';
import { liveness } from './identity.ts';
import { readProcess, readBootId, systemFacts } from './table.ts';

/** Folders of one group, which may be the same; null where the kernel does not hold that limit. */
export interface ControlGroup {
  readonly pids: string | null;
  readonly memory: string | null;
}

/** Makes a group with the limits; null where none can be made, and no memory where the kernel does not limit it. */
export function makeGroup(limits: AttemptLimits): ControlGroup | null {
  const parents = groupParents();
  const wantsMemory = limits.memoryBytes !== null && parents.memory !== null;
  if (parents.pids === null && !wantsMemory) return null;
  const name = `${ownName()}.${(made += 1)}`;
  const group: ControlGroup = {
    pids: parents.pids === null ? null : join(parents.pids, name),
    memory: wantsMemory && parents.memory !== null ? join(parents.memory, name) : null,
  };
  try {
    for (const folder of foldersOf(group)) mkdirSync(folder);
    // The shim is in it too.
    if (group.pids !== null && limits.processes !== null)
      writeFileSync(join(group.pids, pidsMax), String(limits.processes + 1));
    if (group.memory !== null) limitMemory(group.memory, String(limits.memoryBytes));
    return group;
  } catch {
    removeGroup(group);
    return null;
  }
}

/** Removes a group; false when something still is in it. */
export function removeGroup(group: ControlGroup): boolean {
  return foldersOf(group)
    .map(removeFolder)
    .every((gone) => gone);
}

/** Removes the groups of processes that are gone, as far as nothing is in them. */
export function sweepGroups(): void {
  const { pids, memory } = groupParents();
  for (const parent of new Set([pids, memory])) {
    if (parent === null) continue;
    for (const name of namesIn(parent)) {
      const [, pid, start = ''] = /^czar\.(\d+)\.(\d+)\.\d+$/.exec(name) ?? [];
      if (pid === undefined) continue;
      const maker = { pid: Number(pid), start, boot: readBootId(systemFacts) };
      if (liveness(maker) === 'gone') removeFolder(join(parent, name));
    }
  }
}

/** Pids of what is in the group now. */
export function membersOf(group: ControlGroup): readonly number[] {
  const [folder] = foldersOf(group);
  const text = folder === undefined ? '' : textOf(join(folder, procs));
  return text
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** The limit that what is or was in the group has hit, as the kernel counted; null for none. */
export function hitLimit({ pids, memory }: ControlGroup): LimitKind | null {
  if (memory !== null && memoryEvents.some((file) => counted(join(memory, file), 'oom_kill')))
    return 'memory';
  if (pids === null || !counted(join(pids, 'pids.events'), 'max')) return null;
  // A limit further up counts here too: where the most that there were is known, it tells whose it was.
  const peak = textOf(join(pids, 'pids.peak')).trim();
  return peak !== '' && Number(peak) < Number(textOf(join(pids, pidsMax))) ? null : 'processes';
}

/** Nothing in the group can start a process any more, until disposed. */
export function quieten({ pids }: ControlGroup): Disposable {
  const file = pids === null ? null : join(pids, pidsMax);
  const before = file === null ? '' : textOf(file).trim();
  if (file === null || before === '') return { [Symbol.dispose]: () => {} };
  set(file, '0');
  return { [Symbol.dispose]: () => set(file, before) };
}

/** Where groups can be made here, found by making one: for each limit that the kernel can hold. */
export function groupParents(): { readonly pids: string | null; readonly memory: string | null } {
  if (systemFacts.platform !== 'proc') return { pids: null, memory: null };
  parentsHere ??= {
    pids: ownFolders('pids').find((parent) => canHold(parent, [pidsMax])) ?? null,
    memory: ownFolders('memory').find((parent) => canHold(parent, memoryMax)) ?? null,
  };
  return parentsHere;
}

let parentsHere: ReturnType<typeof groupParents> | undefined;
let made = 0;

const procs = 'cgroup.procs';
const pidsMax = 'pids.max';
/** Names in the unified hierarchy and in that of version 1. */
const memoryMax = ['memory.max', 'memory.limit_in_bytes'] as const;
const memoryEvents = ['memory.events', 'memory.oom_control'] as const;

function foldersOf({ pids, memory }: ControlGroup): readonly string[] {
  return [...new Set([pids, memory])].filter((folder) => folder !== null);
}

function limitMemory(folder: string, bytes: string): void {
  const file = memoryMax.find((name) => existsSync(join(folder, name)));
  if (file === undefined) throw new Error('memory cannot be limited');
  writeFileSync(join(folder, file), bytes);
  // What is swapped out would not count otherwise; not every kernel counts it.
  for (const [name, value] of [
    ['memory.swap.max', '0'],
    ['memory.memsw.limit_in_bytes', bytes],
  ] as const)
    set(join(folder, name), value);
}

function set(file: string, value: string): void {
  try {
    if (existsSync(file)) writeFileSync(file, value);
  } catch {
    // It is gone, or not ours any more.
  }
}

/** Whether a group below it can be made and has one of the files. */
function canHold(parent: string, files: readonly string[]): boolean {
  const probe = join(parent, `${ownName()}.0`);
  try {
    mkdirSync(probe);
    return files.some((file) => existsSync(join(probe, file)));
  } catch {
    return false;
  } finally {
    removeFolder(probe);
  }
}

/** Folders in which a group with this controller may be made: that of our own group, and the one above. */
function ownFolders(controller: string): readonly string[] {
  const mounts = parseMounts(textOf('/proc/self/mountinfo'), controller);
  return parseMembership(textOf('/proc/self/cgroup'), controller).flatMap(({ unified, path }) => {
    const mount = mounts.find((one) => one.unified === unified);
    if (mount === undefined) return [];
    const { root, at } = mount;
    if (root !== '/' && path !== root && !path.startsWith(`${root}/`)) return [];
    const below = root === '/' ? path : path.slice(root.length);
    const own = resolve(join(at, below));
    return own === resolve(at) ? [own] : [own, dirname(own)];
  });
}

/** Groups of a process by `/proc/PID/cgroup`, that of the controller first. */
export function parseMembership(
  text: string,
  controller: string,
): readonly { readonly unified: boolean; readonly path: string }[] {
  return text
    .split('\n')
    .flatMap((line) => {
      const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (names === undefined || path === undefined) return [];
      const unified = names === '';
      return unified || names.split(',').includes(controller) ? [{ unified, path }] : [];
    })
    .toSorted((a, b) => Number(a.unified) - Number(b.unified));
}

/** Where the hierarchy of a controller, and the unified one, are mounted, by `/proc/PID/mountinfo`. */
export function parseMounts(
  text: string,
  controller: string,
): readonly { readonly unified: boolean; readonly root: string; readonly at: string }[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root, at] = left.split(' ').map(unescaped);
    const [type, , options = ''] = right.split(' ');
    if (root === undefined || at === undefined) return [];
    const unified = type === 'cgroup2';
    const has = unified || (type === 'cgroup' && options.split(',').includes(controller));
    return has ? [{ unified, root, at }] : [];
  });
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8)));
}

function ownName(): string {
  const row = readProcess(process.pid, systemFacts);
  return `czar.${process.pid}.${row === null || row === 'unknown' ? '0' : row.start}`;
}

function removeFolder(folder: string): boolean {
  if (!basename(folder).startsWith('czar.')) return false;
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

function counted(file: string, word: string): boolean {
  return textOf(file)
    .split('\n')
    .some((line) => {
      const [name, times] = line.split(' ');
      return name === word && Number(times) > 0;
    });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
