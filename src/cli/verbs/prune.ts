/** `czar prune [--dry-run]`: deletes what old runs hold, as the configuration's `retention` says. */
import { askPrune } from '../../api/client.ts';
import type { PruneReply } from '../../api/contract.ts';
import { listenerOf } from '../../daemon/holder.ts';
import { readConfig } from '../../plan/config-file.ts';
import { hasErrors, type Problems } from '../../plan/diagnostics.ts';
import type { PrunePlan } from '../../upkeep/prune-plan.ts';
import { previewPrune, prune, type Pruned } from '../../upkeep/prune.ts';
import { configSources } from '../config-sources.ts';
import { exits } from '../exit.ts';
import { heldBy } from '../held-by.ts';
import { findPlace } from '../find-place.ts';
import { plural, printDiagnostics } from '../plan-files.ts';
import { insideAttempt, refuse } from '../steering.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define: (command, context) => {
    command
      .option('--dry-run', 'list what would be deleted, with sizes')
      .addHelpText(
        'after',
        '\nretention of config.yaml decides: outputs (30d) is how long what agents printed stays after the end of a run;' +
          '\nruns (20) how many runs keep their branches and refs, of older ones only what is landed or otherwise reachable' +
          '\ngoes; kept (never) how long work that was not merged stays. What a run that lives needs stays in any case: beside a' +
          '\ndaemon or czar run, that one deletes.',
      )
      .action((options: { dryRun?: boolean }) => act(context, options.dryRun === true));
  },
};

async function act(context: CliContext, dry: boolean): Promise<void> {
  if (!dry && (await insideAttempt(context, 'prune'))) return;
  const place = findPlace(context);
  if (place === null) return;
  const problems: Problems = { list: [] };
  const { root, home } = place;
  const sources = configSources(context);
  const { retention } = readConfig({ root, home: home.name, sources }, problems);
  if (hasErrors(problems.list)) {
    printDiagnostics(context.out.error, problems.list);
    return context.fail({
      exit: exits.wrong,
      what: 'the configuration is not valid, nothing was deleted',
      next: 'czar config validate',
    });
  }
  const order = { place, retention, env: { ...context.env }, now: context.now() };
  show(context, { dry, done: await (dry ? previewPrune(order) : pruneSomewhere(order)) });
}

/** How often, and at what distance (milliseconds), a loop that does not listen yet is asked again. */
const tries = 20;
const pauseMs = 100;

/** Here, or by the loop that lives. */
async function pruneSomewhere(order: Parameters<typeof prune>[0]): Promise<Shown> {
  const { place, retention } = order;
  for (let left = tries; ; left -= 1) {
    const done = await prune(order);
    if (done.kind !== 'held') return done;
    const listener = listenerOf(done.owner);
    const asked = { checkout: place.checkout, retention };
    const reply = listener === null ? 'unreachable' : await askPrune(listener, asked);
    if (reply !== 'unreachable') return shown(reply);
    if (left === 0) return done;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

type Shown =
  | Exclude<Pruned, { readonly kind: 'done' }>
  | {
      readonly kind: 'done';
      readonly plan: Omit<PrunePlan, 'runs'>;
      readonly bytes: number;
      readonly problems: readonly string[];
    };

function shown(reply: PruneReply): Shown {
  if (!reply.ok) {
    return 'error' in reply
      ? { kind: 'failed', error: reply.error }
      : { kind: 'refused', rejection: reply.rejection };
  }
  const { outputs, aside, refs, left, bytes, problems } = reply;
  return { kind: 'done', plan: { outputs, aside, refs, left }, bytes, problems };
}

function show(context: CliContext, { dry, done }: { dry: boolean; done: Shown }): void {
  switch (done.kind) {
    case 'no-log':
      return context.fail({ exit: exits.nothing, what: 'there is no run in this repository' });
    case 'unreadable':
      return context.fail({ exit: exits.refused, what: done.what, next: done.next });
    case 'failed':
      return context.fail({
        exit: exits.failed,
        what: done.error,
        next: 'czar prune again does the rest',
      });
    case 'held':
      return context.fail({
        ...heldBy(done.owner),
        what: `${heldBy(done.owner).what}, nothing was deleted`,
      });
    case 'refused':
      return refuse(context, done.rejection);
    case 'done':
      return dry || done.problems.length === 0 ? tell(context, dry, done) : half(context, done);
  }
}

type Done = Extract<Shown, { kind: 'done' }>;

function half(context: CliContext, done: Done): void {
  context.fail({
    exit: exits.failed,
    what: done.problems[0] ?? 'not everything could be deleted',
    where: done.problems.length > 1 ? `and ${done.problems.length - 1} more` : null,
    next: 'czar prune again does the rest',
  });
}

function tell(context: CliContext, dry: boolean, { plan, bytes }: Done): void {
  const { out, options } = context;
  const { outputs, aside, refs, left } = plan;
  if (options.json) return out.json({ v: 1, dry_run: dry, outputs, aside, refs, left, bytes });
  const sign = {
    text: dry ? 'would go' : 'gone',
    style: dry ? ('yellow' as const) : ('green' as const),
  };
  out.table([
    ...outputs.map((one) => [sign, `outputs of ${one.run}`, size(one.bytes)]),
    ...aside.map((one) => [sign, `files of ${one.run} that lay aside`, size(one.bytes)]),
    ...refs.map((one) => [
      sign,
      one.in === 'mirror' ? `${one.ref} of the mirror` : one.ref,
      one.commit.slice(0, 10),
    ]),
  ]);
  for (const { ref, why } of left) out.note(`stays: ${ref}: ${why}`);
  out.line(
    `${plural(outputs.length, 'run')} without outputs, ${plural(refs.length, 'ref')}, ${size(bytes)}${dry ? ' would go' : ' freed'}`,
  );
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const steps = ['kB', 'MB', 'GB', 'TB'];
  const step = Math.min(steps.length, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** step).toFixed(1)} ${steps[step - 1]}`;
}
