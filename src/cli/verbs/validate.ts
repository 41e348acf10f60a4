/** `czar validate [PATH…]`: every problem of the plan files at once. */
import { existsSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { waves } from '../../core/graph.ts';
import { branchCollisions } from '../../daemon/views/branch-collisions.ts';
import type { Place } from '../../daemon/place.ts';
import {
  report,
  reportFile,
  sortDiagnostics,
  type Diagnostic,
  type Problems,
} from '../../plan/diagnostics.ts';
import type { Home } from '../../plan/home.ts';
import { loadPlan, type LoadedPlan } from '../../plan/load.ts';
import { configSources } from '../config-sources.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { failEmpty, plural, printDiagnostics, type PlanPlace } from '../plan-files.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define: (command, context) => {
    command
      .argument('[path...]', 'worker files, or a home or repository to look at instead')
      .addHelpText('after', '\nExit codes: 0 valid, 2 problems found, 3 no worker at all.')
      .action(async (paths: readonly string[]) => validate(paths, context));
  },
};

async function validate(paths: readonly string[], context: CliContext): Promise<void> {
  const place = findPlace(context);
  if (place === null) return;
  const checked = check(paths, place, context);
  if (checked === null) return;
  const { loaded } = checked;
  const diagnostics = sortDiagnostics([
    ...checked.diagnostics,
    ...(await collisionsOf(loaded, checked.wants, place)),
  ]);
  const errors = diagnostics.filter((one) => one.severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const { out, options } = context;
  if (loaded.found === 0 && errors === 0) {
    failEmpty(context, checked.place);
    return;
  }
  const notes = [...loaded.notes, ...(loaded.agentProblem === null ? [] : [loaded.agentProblem])];
  context.exit(errors > 0 ? exits.wrong : exits.done);
  if (options.json) {
    const workers = loaded.plan?.workers.length ?? loaded.found;
    out.json({
      v: 1,
      valid: errors === 0,
      workers,
      errors,
      warnings,
      diagnostics,
      notes,
    });
    return;
  }
  printDiagnostics(out.line, diagnostics);
  if (diagnostics.length > 0) out.line();
  for (const note of notes) out.note({ text: 'note: ', style: 'cyan' }, note);
  const levels =
    loaded.plan === null ? '' : ` in ${plural(waves(loaded.plan.workers).length, 'wave')}`;
  const verdict = errors > 0 ? 'not valid' : 'valid';
  out.line(
    { text: verdict, style: errors > 0 ? 'red' : 'green' },
    `: ${plural(loaded.found, 'worker')}${levels}, ${plural(errors, 'error')}, ${plural(warnings, 'warning')}`,
  );
}

/** Branches of the repository that are in the way of those of the plan. */
async function collisionsOf(
  { branches, found, settings }: LoadedPlan,
  wants: (file: string) => boolean,
  place: Place,
): Promise<readonly Diagnostic[]> {
  if (found === 0) return [];
  const collisions = await branchCollisions(
    place,
    branches.map(({ branch }) => branch),
    settings,
  );
  const problems: Problems = { list: [] };
  if (collisions.own !== null) {
    reportFile(problems, `${place.home.name}/workers`, {
      message: collisions.own,
      hint: 'rename that branch: every branch of czar begins with czar/',
    });
  }
  for (const { branch, at } of branches) {
    if (!wants(at().source.file)) continue;
    const message = collisions.written.get(branch);
    if (message !== undefined)
      report(problems, at(), {
        message: `branch: ${message}`,
        hint: 'rename that branch, or give the worker another one',
      });
    const kept = collisions.kept.get(branch);
    if (kept !== undefined)
      report(problems, at(), {
        severity: kept.forNow ? 'warning' : 'error',
        message: `branch: ${branch} ${kept.why}: czar would move it`,
        hint: 'give the worker another branch, or none',
      });
  }
  return problems.list;
}

interface Checked {
  readonly loaded: LoadedPlan;
  readonly diagnostics: readonly Diagnostic[];
  readonly place: PlanPlace;
  /** Whether the problems of a file are asked for. */
  readonly wants: (file: string) => boolean;
}

const everything = (): boolean => true;

/** What the paths name: nothing means the home; files inside the home are checked with their siblings. */
function check(paths: readonly string[], place: PlanPlace, context: CliContext): Checked | null {
  const sources = configSources(context);
  if (paths.length === 0) {
    const loaded = loadPlan({ ...place, sources });
    return { loaded, diagnostics: loaded.diagnostics, place, wants: everything };
  }
  const absolute = paths.map((path) => resolve(context.cwd, path));
  const missing = absolute.findIndex((path) => !existsSync(path));
  if (missing !== -1) {
    context.fail({
      exit: exits.wrong,
      what: 'there is no such file or folder',
      where: paths[missing] ?? null,
    });
    return null;
  }
  const outside = absolute.findIndex(
    (path) => path !== place.root && !path.startsWith(place.root + sep),
  );
  if (outside !== -1) {
    const what = 'this is outside the repository';
    context.fail({
      exit: exits.wrong,
      what,
      where: paths[outside] ?? null,
      next: 'name its repository with --repo',
    });
    return null;
  }
  const [first = ''] = absolute;
  if (absolute.length === 1 && statSync(first).isDirectory())
    return checkFolder(first, place, context);
  const files = absolute.map((path) => relative(place.root, path).split(sep).join('/'));
  const siblings = files.every((file) => file.startsWith(`${place.home.name}/`));
  const loaded = loadPlan({ ...place, sources, ...(siblings ? {} : { files }) });
  const wanted = new Set(files);
  const diagnostics = siblings
    ? loaded.diagnostics.filter((one) => wanted.has(one.file))
    : loaded.diagnostics;
  return { loaded, diagnostics, place, wants: (file) => !siblings || wanted.has(file) };
}

function checkFolder(folder: string, place: PlanPlace, context: CliContext): Checked | null {
  const isHome = ['workers', 'config.yaml', 'config.json'].some((name) =>
    existsSync(join(folder, name)),
  );
  const inner = ['.czar', '.czarina']
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
  const path = folder === place.home.path || isHome ? folder : inner;
  if (path === undefined) {
    const what = 'this folder is no home, and has none';
    context.fail({
      exit: exits.wrong,
      what,
      where: folder,
      next: 'name a folder with workers/ or config.yaml in it',
    });
    return null;
  }
  const name = relative(place.root, path).split(sep).join('/');
  const home: Home = { path, name, exists: true, czarina: existsSync(join(path, 'config.json')) };
  const loaded = loadPlan({ root: place.root, home, sources: configSources(context) });
  return {
    loaded,
    diagnostics: loaded.diagnostics,
    place: { root: place.root, home },
    wants: everything,
  };
}
