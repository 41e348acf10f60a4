/** New worker files: the commented template, and the short form that `add` writes from a sentence. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createFile } from './create-file.ts';
import type { Diagnostic } from './diagnostics.ts';
import { idProblem } from './fields.ts';
import type { ConfigSources } from './config-layers.ts';
import type { Home } from './home.ts';
import { loadPlan, type LoadedPlan } from './load.ts';

/** What `add` may be told beside the text. */
export interface NewWorker {
  readonly text: string;
  /** Default: made from the text. */
  readonly id: string | null;
  readonly agent: string | null;
  /** Ids that it depends on. */
  readonly after: readonly string[];
  readonly owns: readonly string[];
  readonly verify: readonly string[];
}

/** Where a plan is read from. */
export interface PlanSources {
  readonly root: string;
  readonly home: Home;
  readonly sources: ConfigSources;
}

export type Written =
  | {
      readonly kind: 'written';
      readonly id: string;
      readonly file: string;
      readonly loaded: LoadedPlan;
    }
  | { readonly kind: 'exists'; readonly file: string }
  | {
      readonly kind: 'invalid';
      readonly message: string;
      readonly diagnostics: readonly Diagnostic[];
    };

/** Writes a worker file from a sentence. A file that would make the plan invalid is not left behind. */
export function addWorker(place: PlanSources, worker: NewWorker): Written {
  const { root, home } = place;
  const invalid = (message: string, diagnostics: readonly Diagnostic[] = []): Written => ({
    kind: 'invalid',
    message,
    diagnostics,
  });
  if (worker.text.trim() === '') return invalid('the text is empty');
  const before = loadPlan(place).plan;
  const taken = new Set(before?.workers.map(({ id }) => id));
  const id = worker.id ?? freeId(worker.text, taken);
  const problem = idProblem(id);
  if (problem !== null) return invalid(problem);
  const fields = {
    mission: worker.text.trim(),
    ...(worker.agent === null ? {} : { agent: worker.agent }),
    ...(worker.after.length === 0 ? {} : { dependencies: worker.after }),
    ...(worker.owns.length === 0 ? {} : { owns: worker.owns }),
    ...(worker.verify.length === 0 ? {} : { verify: worker.verify }),
  };
  const file = `${home.name}/workers/${id}.md`;
  if (taken.has(id)) return { kind: 'exists', file };
  const created = createFile(join(root, file), `---\n${stringify(fields)}---\n`);
  if (created !== null)
    return created === 'EEXIST'
      ? { kind: 'exists', file }
      : invalid(`${file} cannot be written (${created})`);
  const loaded = loadPlan(place);
  const errors = loaded.diagnostics.filter(({ severity }) => severity === 'error');
  // It may close a circle that is told at another file.
  const wrong = before === null ? errors.filter((one) => one.file === file) : errors;
  if (wrong.length > 0) {
    rmSync(join(root, file));
    return invalid('the worker would not be valid, so nothing was written', wrong);
  }
  return { kind: 'written', id, file, loaded };
}

/** Writes the template of a worker file. */
export function writeTemplate(place: PlanSources, id: string): Written {
  const { root, home } = place;
  const problem = idProblem(id);
  if (problem !== null) return { kind: 'invalid', message: problem, diagnostics: [] };
  const file = `${home.name}/workers/${id}.md`;
  const created = createFile(join(root, file), template(id));
  if (created === 'EEXIST') return { kind: 'exists', file };
  if (created !== null)
    return { kind: 'invalid', message: `${file} cannot be written (${created})`, diagnostics: [] };
  return { kind: 'written', id, file, loaded: loadPlan(place) };
}

/** The text of a new worker file: every field that is used often, and a heading for everything worth saying. */
export function template(id: string): string {
  return `---
id: ${id}
role: What this worker is, in a few words
mission: >-
  What is to be reached, in one or two sentences.
first_action: The very first thing to do
# agent: name            # default: preferences, rules, then default of agents in config.yaml
# branch: feat/${id}     # default: czar/<run>/${id}
dependencies: []         # ids of workers that come before, or all
deliverables: []         # paths that must exist at the end; a trailing / means a folder
# owns: [src/**]         # patterns of what it may change; left out: anything
references: []           # patterns of what it may only read
success_criteria: []
# verify: npm test       # a command that checks the work; exit 0 passes
---

# ${id}

## Mission

Why this is worth doing, and what will be different afterwards.

## Tasks

- [ ] The first task

## Success Criteria

How anyone can see that it is done.

## Source Materials

What to read before starting.

## Ownership

What is this worker's to change, and what is not.

## Collaboration

Who depends on this work, and what they need to be told.

## Notes

Anything else.
`;
}

function freeId(text: string, taken: ReadonlySet<string>): string {
  const words =
    text
      .normalize('NFKD')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  let base = '';
  for (const word of words) {
    const next = base === '' ? word.slice(0, 40) : `${base}-${word}`;
    if (next.length > 40) break;
    base = next;
  }
  if (base === '' || base === 'all') base = 'worker';
  let id = base;
  for (let n = 2; taken.has(id); n += 1) id = `${base}-${n}`;
  return id;
}
