/** Gates: change gates from git's facts, commands whose result is a function of the tree that they judge. */
import type { Outcome } from '../src/core/commands.ts';
import { pathPatch, treeGateKey, type ChangeVerdict, type TreeGate } from '../src/core/events.ts';
import { setupOf } from '../src/core/schedule/grant.ts';
import { definitionOf } from '../src/core/state.ts';
import type { EffectOf } from './effect-context.ts';
import type { SimGit } from './git.ts';
import { fnv } from './random.ts';

/** Result of a command on a tree: red for one tree in eight. */
export function truth(seed: number, tree: string, command: string): 'pass' | 'fail' {
  return fnv(`${seed}/${tree}/${command}`) % 8 === 0 ? 'fail' : 'pass';
}

export async function tearDown({ world, intent, place }: EffectOf<'teardown'>): Promise<Outcome> {
  const { run, worker, attempt } = intent;
  await place('run');
  const red = truth(world.seed, `teardown of ${worker} ${attempt}`, 'teardown') === 'fail';
  const failures = red ? [{ command: 'stop', findings: ['it is red'] }] : [];
  return { kind: 'torn-down', run, worker, attempt, failures };
}

export async function setUp({
  world,
  intent,
  context,
  place,
}: EffectOf<'setup'>): Promise<Outcome> {
  const { run, worker, attempt } = intent;
  if (setupOf(context.run, worker).length > 0) {
    await place('run');
    if (truth(world.seed, `setup of ${worker} ${attempt}`, 'setup') === 'fail')
      return { kind: 'setup-failed', run, worker, attempt, findings: ['setup is red'] };
  }
  return { kind: 'setup-passed', run, worker, attempt };
}

export async function judge({
  world,
  intent,
  context,
  place,
}: EffectOf<'judge'>): Promise<Outcome> {
  const { run, worker } = intent;
  const state = context.run.workers.get(worker);
  const definition = definitionOf(context.run, worker);
  const work = state?.work ?? null;
  const handoffGiven = (state?.handoff ?? null) !== null;
  const approvals = state?.approvals ?? [];
  await place('look');
  const verdict = (gate: ChangeVerdict['gate'], files: readonly string[]): ChangeVerdict => ({
    gate,
    result: files.length === 0 ? 'pass' : 'fail',
    tip: work?.tip ?? '',
    patch: work?.patch ?? '',
    definition: definition.hash,
    findings: files.map((file) => `${gate}: ${file}`),
    files,
  });
  const handoff = verdict(
    'handoff',
    definition.handoff === 'required' && !handoffGiven ? ['handoff'] : [],
  );
  const folder = world.treeOf(run, worker)?.files;
  const files = work === null ? folder : world.git.files(world.git.look(work.tip).tree);
  const missing = definition.deliverables.filter((path) => files?.has(path) !== true);
  const verdicts = [verdict('deliverables', missing), handoff];
  if (work !== null) {
    const outside = work.changed.filter((one) => !mayChange(definition.owns, one.path));
    const guarded = work.changed.filter(
      (one) =>
        context.run.plan.policies.protect.includes(one.path) &&
        !approvals.some((two) => two.path === one.path && two.patch === pathPatch(one)),
    );
    verdicts.push(
      verdict(
        'ownership',
        outside.map((one) => one.path),
      ),
      verdict(
        'protect',
        guarded.map((one) => one.path),
      ),
    );
  }
  const was = state?.conflicted ?? null;
  if (was === null || work === null || was === work.tip)
    return { kind: 'judged', run, worker, verdicts };
  const found = lostLines(world.git, { was, tip: work.tip, integration: intent.integration });
  if (found === null) return { kind: 'judged', run, worker, verdicts };
  const removed = found.lost.map((path) => ({ path, lines: ['theirs'], more: 0 }));
  return { kind: 'judged', run, worker, verdicts, resolved: { onto: found.onto, removed } };
}

/**
 * What a branch that conflicted as `was` holds of integration since, and the files of it that are not as they came. Null
 * when it holds nothing more.
 */
export function lostLines(
  git: SimGit,
  of: { readonly was: string; readonly tip: string; readonly integration: string },
): { readonly onto: string; readonly lost: readonly string[] } | null {
  const onto = git.mergeBase(of.tip, of.integration);
  const fork = git.mergeBase(of.was, onto);
  if (onto === fork) return null;
  const gone = new Set(git.changes(onto, of.tip).map(({ path }) => path));
  const came = git.changes(fork, onto).filter(({ after }) => after !== '');
  return { onto, lost: came.flatMap(({ path }) => (gone.has(path) ? [path] : [])) };
}

/** Whether the claim allows the path; globs are `folder/**`. */
export function mayChange(owns: readonly string[] | null, path: string): boolean {
  return owns === null || owns.some((glob) => path.startsWith(glob.replace('**', '')));
}

export async function checkGates({
  world,
  owner,
  intent,
  place,
}: EffectOf<'check'>): Promise<Outcome> {
  const { run, worker, subject, tree } = intent;
  const verdicts = [];
  for (const gate of intent.gates) {
    const ms = world.checkMs();
    if (ms > 0) await world.sleep(owner, ms);
    await place('command');
    const broken = world.faults.strikes('inconclusive', 'check');
    const result = broken ? 'inconclusive' : truth(world.seed, tree, gate.command);
    record(world.ran, tree, gate, result);
    verdicts.push({
      gate: gate.gate,
      result,
      tree,
      command: gate.command,
      setup: gate.setup,
      findings: result === 'pass' ? [] : [`${gate.command} is ${result}`],
      log: null,
      durationMs: 1,
    } as const);
  }
  return { kind: 'checked', run, subject, worker, verdicts };
}

function record(ran: Map<string, Set<string>>, tree: string, gate: TreeGate, result: string): void {
  const key = treeGateKey({ tree, command: gate.command, setup: gate.setup });
  ran.set(key, new Set([...(ran.get(key) ?? []), result]));
}
