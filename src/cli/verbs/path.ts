/** `czar path WORKER`: where its working tree is, for `cd "$(czar path WORKER)"`. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { exits } from '../exit.ts';
import { readingWorker } from '../reading.ts';
import type { PlainVerb } from '../verb.ts';

export const verb: PlainVerb = {
  words: [{ name: 'worker', required: true, text: 'worker whose working tree is meant' }],
  options: [],
  act: async (context, { words: [id = ''] }) => {
    await readingWorker(context, id, ({ place, worker }) => {
      const { branch } = worker;
      const worktree = worker.worktree === null ? null : resolve(place.root, worker.worktree);
      if (worktree === null || !existsSync(worktree)) {
        context.fail({
          exit: exits.nothing,
          what: `${id} has no working tree ${worktree === null ? 'yet' : 'any more'}`,
          next: branch === null ? `czar why ${id}` : `its work is on the branch ${branch}`,
        });
        return;
      }
      if (context.options.json) context.out.json({ v: 1, worker: id, path: worktree, branch });
      else context.out.line(worktree);
    });
  },
};
