/**
 * `npm run crash -- --kills N --seed S [--agents] [--keep]`: kills the built `czar` with real git and scripted agents,
 * restarts it until each run has ended and landed, and lets an independent checker judge.
 *
 * A round is one scratch repository; its plan and its kills follow from seed and round. `--round R` plays one again.
 * Progress goes to stderr. Ends with one line: `N kills at M places, N starts: clean`, or the findings and exit code 1.
 *
 * `--points` kills every crash point of the sources alone, on each reference plan, and says on which plans each was
 * met; a point that no plan meets fails the pass. `--pairs N` kills at N pairs of points, chosen by the seed: the
 * second one in the process that was started after the first; `--pairs all` tries every ordered pair on every plan,
 * which takes many hours: `--part 3/40` tries the third of forty parts.
 * Both also take `--only PATTERN` for points, or pairs written `first second`, that match.
 *
 * One of the plans, `guided`, is led by a daemon, which is killed with or without its guardian. `--plan NAME` plays one
 * plan alone.
 */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Tally } from './orders.ts';
import { pairsOf, placesOf } from './exact.ts';
import { plans } from './plans.ts';
import { crashPoints } from './points.ts';
import { killAll } from './processes.ts';
import { random } from './random.ts';
import { playRound, type Reference } from './round.ts';

/** From how many kills on every crash point must have been met. */
const allPointsFrom = 300;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    round: { type: 'string' },
    agents: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
    points: { type: 'boolean', default: false },
    pairs: { type: 'string' },
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    plan: { type: 'string', default: '' },
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
    plans
      .filter(({ name }) => name.includes(values.plan))
      .map(async (plan): Promise<Reference> => {
        const scratch = join(home, `undisturbed-${plan.name}`);
        const done = await playRound({
          scratch,
          plan,
          launcher,
          tally: newTally(),
          kills: 0,
          wishes: [],
          reference: null,
          seed,
          stream: 0,
          agents: false,
        });
        if (done.findings.length > 0) failed += 1;
        else rmSync(scratch, { recursive: true, force: true });
        report(`${plan.name}, undisturbed: ${Math.round(done.ms)} ms`, done.findings, scratch);
        return { plan, tree: done.tree, usualMs: done.ms };
      }),
  );

  const exact = values.points || values.pairs !== undefined;
  const orders = { home, launcher, tally, points, references };
  if (failed === 0 && values.points) failed += await playPoints(orders);
  if (failed === 0 && values.pairs !== undefined)
    failed += await playPairs(orders, values.pairs === 'all' ? Infinity : Number(values.pairs));

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
      const done = await playRound({
        ...reference,
        scratch,
        launcher,
        tally,
        kills,
        wishes,
        reference,
        seed,
        stream: mine,
        agents: values.agents,
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
  if (failed === 0 && !exact) await Promise.all(Array.from({ length: Number(values.jobs) }, work));

  const missed = points.filter((name) => !tally.places.has(name));
  const met = [...tally.places].toSorted(([, a], [, b]) => b - a);
  say(met.map(([name, times]) => `${name} ${times}`).join(', '));
  const minutes = ((performance.now() - since) / 60_000).toFixed(1);
  const agents = tally.agentKills > 0 ? `, ${tally.agentKills} agents or shims` : '';
  const unmet = exact ? '' : `; not met: ${missed.length === 0 ? 'none' : missed.join(' ')}`;
  say(`${minutes} minutes${agents}, ${tally.hung} hanging checks ended${unmet}`);
  if (!exact && wanted >= allPointsFrom && failed === 0 && missed.length > 0) failed += 1;
  if (failed === 0 && !values.keep) rmSync(home, { recursive: true, force: true });
  const verdict = failed === 0 ? 'clean' : `failed (seed ${seed})`;
  console.log(
    `${tally.kills} kills at ${tally.places.size} places, ${tally.starts} starts: ${verdict}`,
  );
  return failed === 0 ? 0 : 1;
}

/** One exact round: where it is killed, on which plan. */
interface Aim {
  readonly reference: Reference;
  readonly places: readonly string[];
}

interface ExactOrders {
  readonly home: string;
  readonly launcher: string;
  readonly tally: Tally;
  readonly points: readonly string[];
  readonly references: readonly Reference[];
}

/** Every point alone on each plan; gives how many rounds failed and points were not met. */
async function playPoints(orders: ExactOrders): Promise<number> {
  const places = placesOf(orders.points).filter((place) => place.includes(values.only));
  const met = new Map<string, Set<string>>(places.map((place) => [place, new Set()]));
  const aims = places.flatMap((place) =>
    orders.references.map((reference) => ({ reference, places: [place] })),
  );
  const failed = await playAll(orders, aims, ({ reference, places: [place = ''] }, times) => {
    if (times > 0) met.get(place)?.add(reference.plan.name);
    return true;
  });
  for (const [place, on] of met) say(`${place}: ${[...on].join(', ') || 'met on no plan'}`);
  const never = orders.points.filter((name) => met.get(name)?.size === 0);
  if (never.length > 0) console.log(`met on no plan: ${never.join(' ')}`);
  return failed + never.length;
}

/** Pairs of points until so many of them happened, or all there are; gives how many rounds failed. */
async function playPairs(orders: ExactOrders, wanted: number): Promise<number> {
  const [part = 1, parts = 1] = values.part.split('/').map(Number);
  const aims = random(seed)
    .shuffled(
      pairsOf(orders.points)
        .filter((places) => places.join(' ').includes(values.only))
        .flatMap((places) => orders.references.map((reference) => ({ reference, places }))),
    )
    .filter((_aim, index) => index % parts === part - 1);
  let happened = 0;
  let tried = 0;
  const failed = await playAll(orders, aims, (_aim, times) => {
    tried += 1;
    if (times === 2) happened += 1;
    return happened < wanted;
  });
  console.log(`${happened} pairs happened, ${tried - happened} could not`);
  if (happened === 0 || (Number.isFinite(wanted) && values.only === '' && happened < wanted))
    return failed + 1;
  return failed;
}

/** Plays exact rounds side by side until `heard` wants no more or one fails. */
async function playAll(
  { home, launcher, tally }: ExactOrders,
  aims: readonly Aim[],
  heard: (aim: Aim, met: number) => boolean,
): Promise<number> {
  let [next, failed, more] = [0, 0, true];
  const work = async (): Promise<void> => {
    while (more && failed === 0) {
      const aim = aims[next];
      next += 1;
      if (aim === undefined) return;
      const { reference, places } = aim;
      const scratch = join(home, `exact-${next}`);
      const stream = next;
      const { findings, met } = await playRound({
        scratch,
        plan: reference.plan,
        launcher,
        tally,
        kills: 0,
        wishes: [],
        reference,
        seed,
        stream,
        agents: false,
        places,
      });
      if (findings.length > 0) failed += 1;
      else if (!values.keep) rmSync(scratch, { recursive: true, force: true });
      const told = `${stream} of ${aims.length}, ${reference.plan.name}: ${places.join(', ')}`;
      report(`${told}: ${met} of ${places.length} met`, findings, scratch);
      more = heard(aim, met) && more;
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  return failed;
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
