/**
 * `npm run crash -- --kills N --seed S [--agents] [--keep]`: kills the built `czar` with real git and scripted agents,
 * restarts it until each run has ended and landed, and lets an independent checker judge.
 *
 * A round is one scratch repository; its plan and its kills follow from seed and round. `--round R` plays one again.
 * Progress goes to stderr. Ends with one line: `N kills at M places, N starts: clean`, or the findings and exit code 1.
 */
import {
  cpSync,
  existsSync,
  readFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkLanded } from './check-git.ts';
import { judge } from './checker.ts';
import { drive, land, type Orders, type Tally } from './driver.ts';
import { fingerprint } from './fingerprint.ts';
import { plans, type ReferencePlan } from './plans.ts';
import { crashPoints } from './points.ts';
import { killAll } from './processes.ts';
import { random } from './random.ts';
import { linesOf, makeScratch } from './scratch.ts';

/** From how many kills on every crash point must have been met. */
const allPointsFrom = 300;

interface Reference {
  readonly plan: ReferencePlan;
  readonly tree: string;
  readonly usualMs: number;
}

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    round: { type: 'string' },
    agents: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
  },
});
const [wanted, seed] = [Number(values.kills), Number(values.seed)];
if (process.platform !== 'linux') throw new Error('the checker reads /proc');
process.exitCode = await main();

async function main(): Promise<0 | 1> {
  const root = join(import.meta.dirname, '..');
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'czar-crash-')));
  const points = crashPoints(join(root, 'src'));
  const tally = newTally();
  const launcher = copyBuild(root, home);
  const since = performance.now();
  let failed = 0;
  const interrupted = (): void => {
    killAll(home);
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);

  const references = await Promise.all(
    plans.map(async (plan): Promise<Reference> => {
      const scratch = join(home, `undisturbed-${plan.name}`);
      const done = await round({
        scratch,
        plan,
        launcher,
        tally: newTally(),
        kills: 0,
        wishes: [],
        reference: null,
        stream: 0,
      });
      if (done.findings.length > 0) failed += 1;
      else rmSync(scratch, { recursive: true, force: true });
      report(`${plan.name}, undisturbed: ${Math.round(done.ms)} ms`, done.findings, scratch);
      return { plan, tree: done.tree, usualMs: done.ms };
    }),
  );

  const order = random(seed).shuffled(points);
  let stream = 0;
  const work = async (): Promise<void> => {
    while (failed === 0 && tally.kills < wanted) {
      stream += 1;
      if (values.round !== undefined) {
        if (stream > 1) return;
        stream = Number(values.round);
      }
      const mine = stream;
      const reference = references[mine % references.length];
      if (reference === undefined) return;
      const first = (mine * 7) % order.length;
      const wishes = [...order.slice(first), ...order.slice(0, first)];
      const kills = 5 + random(seed, mine).below(8);
      const scratch = join(home, `round-${mine}`);
      const done = await round({
        ...reference,
        scratch,
        launcher,
        tally,
        kills,
        wishes,
        reference,
        stream: mine,
      });
      if (done.findings.length > 0) failed += 1;
      else if (!values.keep) rmSync(scratch, { recursive: true, force: true });
      report(
        `round ${mine}, ${reference.plan.name}: ${tally.kills} kills, ${tally.starts} starts`,
        done.findings,
        scratch,
      );
    }
  };
  if (failed === 0) await Promise.all(Array.from({ length: Number(values.jobs) }, work));

  const missed = points.filter((name) => !tally.places.has(name));
  const met = [...tally.places].toSorted(([, a], [, b]) => b - a);
  say(met.map(([name, times]) => `${name} ${times}`).join(', '));
  const minutes = ((performance.now() - since) / 60_000).toFixed(1);
  const agents = tally.agentKills > 0 ? `, ${tally.agentKills} agents or shims` : '';
  say(
    `${minutes} minutes${agents}, ${tally.hung} hanging checks ended; not met: ${missed.length === 0 ? 'none' : missed.join(' ')}`,
  );
  if (wanted >= allPointsFrom && failed === 0 && missed.length > 0) failed += 1;
  if (failed === 0 && !values.keep) rmSync(home, { recursive: true, force: true });
  const verdict = failed === 0 ? 'clean' : `failed (seed ${seed})`;
  console.log(
    `${tally.kills} kills at ${tally.places.size} places, ${tally.starts} starts: ${verdict}`,
  );
  return failed === 0 ? 0 : 1;
}

interface RoundOrders {
  readonly scratch: string;
  readonly plan: ReferencePlan;
  readonly launcher: string;
  readonly tally: Tally;
  readonly kills: number;
  readonly wishes: string[];
  readonly reference: Reference | null;
  readonly stream: number;
}

/** One scratch repository from its first start to its landing, and the verdict on it. */
async function round(
  orders: RoundOrders,
): Promise<{ readonly findings: readonly string[]; readonly tree: string; readonly ms: number }> {
  const { plan, launcher, tally, kills, wishes, reference, stream } = orders;
  const scratch = makeScratch(orders.scratch, plan, launcher);
  const before = fingerprint(scratch);
  const driven: Orders = {
    scratch,
    random: random(seed, stream + 1_000_000),
    tally,
    kills,
    wishes,
    usualMs: reference?.usualMs ?? 0,
    agents: values.agents && reference !== null,
  };
  const since = performance.now();
  try {
    const problem = await drive(driven);
    const orphaned = join(scratch.side, 'orphaned');
    if (existsSync(orphaned)) tally.hung += linesOf(readFileSync(orphaned, 'utf8')).length;
    const ms = performance.now() - since;
    if (problem !== null) return { findings: [problem], tree: '', ms };
    const agentsKilled = driven.agents;
    const { findings, tree } = await judge({
      scratch,
      before,
      tree: reference?.tree ?? null,
      agentsKilled,
    });
    if (findings.length > 0) return { findings, tree, ms };
    const unlanded = await land(driven);
    if (unlanded !== null) return { findings: [unlanded], tree, ms };
    return { findings: checkLanded(scratch, tree), tree, ms };
  } finally {
    killAll(scratch.base);
  }
}

/** A copy of the build, so that one who builds meanwhile does not change what is tested. */
function copyBuild(root: string, home: string): string {
  const copy = join(home, 'czar');
  mkdirSync(copy);
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return join(copy, 'bin/czar');
}

function newTally(): Tally {
  return { kills: 0, starts: 0, agentKills: 0, hung: 0, places: new Map() };
}

function report(told: string, findings: readonly string[], scratch: string): void {
  say(
    [
      told,
      ...findings.map((line) => `  ${line}`),
      ...(findings.length > 0 ? [`  kept: ${scratch}`] : []),
    ].join('\n'),
  );
}

function say(text: string): void {
  console.error(text);
}
