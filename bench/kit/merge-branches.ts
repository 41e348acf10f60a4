/**
 * Merges branches one after another as a run does. `node merge-branches.ts REPOSITORY HALFWAY` takes the run `bench` of
 * a mirror that was prepared below REPOSITORY, and merges each `refs/heads/work-N` of it, in their order. The file
 * HALFWAY tells how much time this process had taken when it had merged half of them: milliseconds of wall and of CPU.
 */
import { writeFileSync } from 'node:fs';
import { gitContext } from '../../src/git/context.ts';
import { buildMerge, commitMerge } from '../../src/git/merging/merge.ts';
import { OpenMirror } from '../../src/git/mirror/open-mirror.ts';
import { integrationRef, listRefs, readRef } from '../../src/git/refs.ts';

const [repository = '', halfway = ''] = process.argv.slice(2);
const place = gitContext({ root: repository, commonDir: repository, home: `${repository}/home` });
await using open = new OpenMirror(place.mirror);
const context = { ...place, open };
const run = 'bench';
let base = (await readRef(context, integrationRef(run))) ?? '';
const branches = [...(await listRefs(context, 'refs/heads/work-*'))];
for (const [index, [ref, tip]] of branches.entries()) {
  if (index === branches.length / 2) {
    const { user, system } = process.cpuUsage();
    writeFileSync(halfway, `${performance.now()} ${(user + system) / 1_000}`);
  }
  const worker = ref.slice('refs/heads/'.length);
  const merge = await buildMerge(context, {
    run,
    worker,
    base,
    tip,
    date: 1_800_000_000_000,
    message: `Merge ${worker}`,
    identity: { name: 'bench', email: 'bench@localhost' },
  });
  if (merge.kind !== 'built') throw new Error(JSON.stringify(merge));
  const admission = { change: [], trees: [] };
  const moved = await commitMerge(context, { run, base, commit: merge.commit, admission });
  if (moved.kind !== 'merged') throw new Error(JSON.stringify(moved));
  base = merge.commit;
}
