/** The graph that schedulers are measured with: layers of no-op tasks, each after about three of the layer before. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Task {
  readonly id: string;
  readonly after: readonly string[];
}

/** `count` tasks in layers of 25, the same ones for the same count. */
export function layered(count: number): readonly Task[] {
  const width = 25;
  const next = generator(count);
  return Array.from({ length: count }, (_, index) => {
    const layer = Math.floor(index / width);
    const after = new Set<string>();
    for (let edge = 0; layer > 0 && edge < 3; edge += 1)
      after.add(idOf((layer - 1) * width + Math.floor(next() * width)));
    return { id: idOf(index), after: [...after] };
  });
}

/** Writes a home whose workers are the tasks: empty workspaces, an agent that does nothing unless told otherwise. */
export function writeHome(
  repository: string,
  tasks: readonly Task[],
  slots: number,
  command: readonly string[] = ['true'],
): void {
  const home = join(repository, '.czar');
  mkdirSync(join(home, 'workers'), { recursive: true });
  const config = [
    'agents:',
    '  default: noop',
    '  define:',
    `    noop: {adapter: command, command: ${JSON.stringify(command)}}`,
    `max_parallel: ${slots}`,
    '',
  ];
  writeFileSync(join(home, 'config.yaml'), config.join('\n'));
  for (const { id, after } of tasks) {
    const lines = [
      '---',
      'workspace: empty',
      `dependencies: [${after.join(', ')}]`,
      '---',
      'Nothing.',
      '',
    ];
    writeFileSync(join(home, 'workers', `${id}.md`), lines.join('\n'));
  }
}

/** The same graph for `make`: one phony target a task. */
export function makefile(tasks: readonly Task[]): string {
  const rules = tasks.map(({ id, after }) => `${id}: ${after.join(' ')}\n\t@/bin/true`);
  const all = tasks.map(({ id }) => id).join(' ');
  return `all: ${all}\n.PHONY: all ${all}\n${rules.join('\n')}\n`;
}

/** The same graph for `ninja`. */
export function ninjaFile(tasks: readonly Task[]): string {
  const builds = tasks.map(({ id, after }) => `build ${id}: noop ${after.join(' ')}`);
  return `rule noop\n  command = /bin/true\n${builds.join('\n')}\n`;
}

function idOf(index: number): string {
  return `t${String(index).padStart(5, '0')}`;
}

/** Numbers in [0, 1), the same for the same seed (a linear congruential generator). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
