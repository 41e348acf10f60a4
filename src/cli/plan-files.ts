/** What the plan verbs share: finding the repository and its home, loading the plan, showing what is wrong with it. */
import type { Plan, WorkerDefinition } from '../core/plan.ts';
import { hasErrors, renderDiagnostic, type Diagnostic } from '../plan/diagnostics.ts';
import type { Home } from '../plan/home.ts';
import { loadPlan, type LoadedPlan } from '../plan/load.ts';
import { nearest } from '../plan/nearest.ts';
import { configSources } from './config-sources.ts';
import { exits } from './exit.ts';
import type { Span, Style } from './render.ts';
import type { CliContext } from './verb.ts';

/** Where a plan is: the top of the checkout, and the home in it. */
export interface PlanPlace {
  readonly root: string;
  readonly home: Home;
}

/** The plan of the place, valid and with at least one worker; else null, and why is printed. Warnings go unsaid. */
export function openPlan(
  context: CliContext,
  place: PlanPlace,
): { readonly plan: Plan; readonly loaded: LoadedPlan } | null {
  const loaded = loadPlan({ ...place, sources: configSources(context) });
  if (loaded.plan !== null) return { plan: loaded.plan, loaded };
  if (hasErrors(loaded.diagnostics)) {
    const errors = loaded.diagnostics.filter((one) => one.severity === 'error');
    printDiagnostics(context.out.error, errors);
    context.fail({
      exit: exits.wrong,
      what: `the plan has ${plural(errors.length, 'error')}`,
      next: 'czar validate',
    });
  } else failEmpty(context, place);
  return null;
}

/** The worker of that id; null when the plan has none, which has been said. */
export function plannedWorker(
  context: CliContext,
  plan: Plan,
  id: string,
): WorkerDefinition | null {
  const found = plan.workers.find((one) => one.id === id);
  if (found !== undefined) return found;
  const near = nearest(
    id,
    plan.workers.map((one) => one.id),
  );
  context.fail({
    exit: exits.nothing,
    what: `there is no worker ${JSON.stringify(id)}`,
    next: near === null ? 'czar plan show lists the workers' : `did you mean ${near}?`,
  });
  return null;
}

/** Says that there is no worker. */
export function failEmpty(context: CliContext, place: PlanPlace): void {
  context.fail({
    exit: exits.nothing,
    what: 'there is no worker',
    where: `${place.home.name}/workers`,
    next: place.home.exists ? 'czar add "TEXT", or czar worker new ID' : 'czar init',
  });
}

const severityStyle: Readonly<Record<Diagnostic['severity'], Style>> = {
  error: 'red',
  warning: 'yellow',
};

/** Problems with source line and caret, a blank line between them. */
export function printDiagnostics(
  line: (...spans: readonly Span[]) => void,
  diagnostics: readonly Diagnostic[],
): void {
  diagnostics.forEach((one, index) => {
    if (index > 0) line();
    for (const { part, text } of renderDiagnostic(one)) {
      if (part === 'head') line({ text, style: 'bold' });
      else if (part === 'caret') line({ text, style: severityStyle[one.severity] });
      else if (part === 'hint') line({ text, style: 'cyan' });
      else line(text);
    }
  });
}

/** `1 error`, `2 errors`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
