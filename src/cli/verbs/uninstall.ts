/** `czar uninstall`: everything that czar made goes, after a bundle of what is nowhere else. */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { uninstall, type Removal, type Uninstalled } from '../../upkeep/uninstall.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { plural } from '../plan-files.ts';
import { insideAttempt } from '../steering.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define: (command, context) => {
    command
      .option(
        '--out <file>',
        'the bundle (default: czar-work-DATE.bundle at the root of the repository)',
      )
      .addHelpText(
        'after',
        '\nRemoved are czar’s state, its refs and its branches below czar/, working trees, outputs, logs and check trees;' +
          '\nyour plan files stay. What no branch or tag of yours holds is written to the bundle first, and that is' +
          '\nverified. git fetch FILE REF takes a ref out of it, git bundle list-heads FILE lists them.' +
          '\nWithout a terminal it needs --yes. Killed in the middle it can be called again.',
      )
      .action((options: { out?: string }) => act(context, options.out ?? null));
  },
};

async function act(context: CliContext, file: string | null): Promise<void> {
  if (await insideAttempt(context, 'uninstall')) return;
  const place = findPlace(context);
  if (place === null) return;
  const out = file === null ? null : resolve(context.cwd, file);
  if (out !== null && existsSync(out))
    return context.fail({
      exit: exits.refused,
      what: 'the file is there already',
      where: out,
      next: 'name another with --out',
    });
  const done = await uninstall({
    place,
    env: { ...context.env },
    now: context.now(),
    out,
    agree: (removal) => agree(context, removal),
  });
  report(context, place.root, done);
}

/** Lists what is about to be removed, and asks. */
async function agree(context: CliContext, removal: Removal): Promise<boolean> {
  const { out, options } = context;
  const { unmerged, trees, branches, liveRuns } = removal;
  if (!options.json) {
    for (const { ref, commit } of oneEach(unmerged))
      out.line({ text: 'not merged  ', style: 'yellow' }, ref, ' ', commit.slice(0, 10));
    for (const tree of trees) out.line({ text: 'tree        ', style: 'dim' }, tree);
    for (const branch of branches) out.line({ text: 'branch      ', style: 'dim' }, branch);
    for (const run of liveRuns) out.line({ text: 'live        ', style: 'red' }, `run ${run}`);
  }
  if (options.yes) return true;
  if (!context.canAsk) return false;
  const live = liveRuns.length === 0 ? '' : `, ${plural(liveRuns.length, 'live run')} with it`;
  return context.confirm(`Remove czar from this repository${live}?`);
}

/** One ref for each commit, the one that says most to a person: an attempt alone leaves five. */
function oneEach(refs: Removal['unmerged']): Removal['unmerged'] {
  const telling = ['refs/czar/kept/', 'refs/user/', 'refs/czar/integration/', 'refs/czar/work/'];
  const rank = (ref: string): number => {
    const found = telling.findIndex((prefix) => ref.startsWith(prefix));
    return found < 0 ? telling.length : found;
  };
  const best = new Map<string, Removal['unmerged'][number]>();
  for (const one of refs) {
    const other = best.get(one.commit);
    if (other === undefined || rank(one.ref) < rank(other.ref)) best.set(one.commit, one);
  }
  return refs.filter((one) => best.get(one.commit) === one);
}

function report(context: CliContext, root: string, done: Uninstalled): void {
  const { out, options } = context;
  switch (done.kind) {
    case 'nothing':
      return context.fail({
        exit: exits.nothing,
        what: 'there is nothing of czar’s in this repository but its plan files',
      });
    case 'held':
      return context.fail({
        exit: exits.refused,
        what: 'a czar is running in this repository, nothing was removed',
        where: done.owner === null ? null : `pid ${done.owner.pid}`,
        next: 'czar daemon stop, or wait until it has ended',
      });
    case 'refused':
      return context.fail({
        exit: exits.refused,
        what: done.what,
        where: done.where,
        next: done.next,
      });
    case 'failed':
      return context.fail({
        exit: exits.failed,
        what: done.error,
        next: 'czar uninstall again goes on from here',
      });
    case 'declined': {
      const { liveRuns } = done.removal;
      return context.fail({
        exit: exits.refused,
        what:
          liveRuns.length === 0
            ? 'nothing was removed'
            : `nothing was removed: ${plural(liveRuns.length, 'run')} ${liveRuns.length === 1 ? 'is' : 'are'} live`,
        where: liveRuns.length === 0 ? null : liveRuns.join(', '),
        next: 'czar uninstall --yes removes what is listed, after a bundle of what is not merged',
      });
    }
    case 'done': {
      const { removal, bundle, aside, left } = done;
      if (options.json) {
        const { liveRuns, ...others } = removal;
        return out.json({ v: 1, live_runs: liveRuns, ...others, bundle, aside, left });
      }
      if (bundle !== null) {
        out.line(
          `${plural(removal.unmerged.length, 'ref')} not merged: ${relative(root, bundle)}, verified`,
        );
        out.note(
          `git bundle list-heads ${relative(root, bundle)} lists them; git fetch takes them out`,
        );
      }
      if (aside !== null) out.line(`files that are in no commit: ${relative(root, aside)}`);
      for (const each of left) out.note(`stays: ${each}`);
      return out.line('czar is removed; your plan files are as they were');
    }
  }
}
