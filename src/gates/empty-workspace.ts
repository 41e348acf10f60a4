/**
 * The gates of a worker without a repository (`workspace: empty`): its deliverables are judged in its folder, its
 * handoff as everywhere; ownership and protect do not apply. Links are not followed and count as no file.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChangeVerdict } from '../core/events.ts';
import type { WorkerDefinition } from '../core/plan.ts';
import { authorIn } from '../git/collecting/czar-files.ts';
import { missingDeliverables, missingHandoff } from './change-gates.ts';

/** Judges the folder of a worker. A folder that is gone has no files. Verdicts have no tip and no patch ('' both). */
export async function judgeEmptyWorkspace({
  definition,
  dir,
  handoffGiven,
}: {
  readonly definition: WorkerDefinition;
  readonly dir: string;
  readonly handoffGiven: boolean;
}): Promise<readonly ChangeVerdict[]> {
  const found = definition.deliverables.length === 0 ? [] : await filesIn(dir, '');
  const paths = found.filter((path) => authorIn(dir, path) === 'others');
  const judged = [
    { gate: 'deliverables' as const, ...missingDeliverables(definition, paths) },
    { gate: 'handoff' as const, ...missingHandoff(definition, handoffGiven) },
  ];
  return judged.map((judgement) => ({
    ...judgement,
    result: judgement.findings.length === 0 ? 'pass' : 'fail',
    tip: '',
    patch: '',
    definition: definition.hash,
  }));
}

async function filesIn(dir: string, prefix: string): Promise<string[]> {
  const entries = await readdir(join(dir, prefix), { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isFile()) found.push(path);
    else if (entry.isDirectory()) found.push(...(await filesIn(dir, path)));
  }
  return found;
}
