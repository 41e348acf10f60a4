/** The page of results: a section a benchmark between two marks, so that one alone can be run anew. */
import { cpus, loadavg, totalmem } from 'node:os';
import { meets, type Figure, type Section } from './figure.ts';

export interface Made {
  /** Name of the benchmark. */
  readonly name: string;
  readonly section: Section;
}

/** The whole page: sections that were not made now are taken over from the page before. `names` gives the order. */
export function resultsPage(
  before: string,
  names: readonly string[],
  made: readonly Made[],
): string {
  const fresh = new Map(made.map(({ name, section }) => [name, body(section)]));
  const sections = names.flatMap((name) => {
    const text = fresh.get(name) ?? between(before, name);
    return text === null ? [] : [`${open(name)}\n\n${text}\n\n${close(name)}`];
  });
  return `${[introduction, ...sections].join('\n\n')}\n`;
}

/** The section as it stands on the page. */
export function describe(section: Section): string {
  return `${body(section)}\n`;
}

const introduction = `# Results

Made by \`npm run bench\`; \`npm run bench -- NAME\` makes one section anew. Absolute times belong to the machine and the hour
that each section names. What counts is the column \`value\`: ours against what ran beside it, in turns, in the same
minutes. It moves by a tenth or so from run to run, more when something else is running.

It differs between machines too: where starting a program is dear for the system, as on some virtual machines, programs
weigh more and a loop weighs less. Nearly the same commits gave 1.3 (wall) and 1.5 (CPU) for the workers that do nothing,
and 1.3 from one worker to the next, on a machine that starts a program in ten milliseconds, and more than twice that on
one that starts it in one.

A file system without a journal (ext4 of some virtual machines) makes files ten times more slowly for some minutes where
many were deleted, so scratch repositories stay until all sections are made. To compare runs that follow one another, give
each a new folder in \`TMPDIR\` in which nothing was deleted lately.`;

function open(name: string): string {
  return `<!-- ${name} -->`;
}

function close(name: string): string {
  return `<!-- end of ${name} -->`;
}

function between(page: string, name: string): string | null {
  const from = page.indexOf(open(name));
  const to = page.indexOf(close(name));
  return from < 0 || to < from ? null : page.slice(from + open(name).length, to).trim();
}

function body({ title, method, figures }: Section): string {
  const day = new Date().toISOString().slice(0, 10);
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${process.platform}`;
  // That of its last five minutes, its own included: much more than a core means that others were at work.
  const load = `load ${(loadavg()[1] ?? 0).toFixed(1)}`;
  return [
    `## ${title}`,
    '',
    method,
    '',
    `${day}, ${machine}, ${load}.`,
    '',
    ...table(figures),
  ].join('\n');
}

function table(figures: readonly Figure[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = figures.map((figure) => {
    const unit = figure.unit === undefined ? '' : ` ${figure.unit}`;
    const value = `${rounded(figure.value)}${unit}`;
    return line([
      figure.name,
      figure.ours,
      figure.beside,
      value,
      goalOf(figure, unit),
      verdict(figure),
    ]);
  });
  return [
    line(['what', 'czar', 'beside it', 'value', 'goal', '']),
    line(['---', '---', '---', '---', '---', '---']),
    ...rows,
  ];
}

function goalOf({ goal }: Figure, unit: string): string {
  if (goal === undefined) return '';
  return 'most' in goal ? `≤ ${goal.most}${unit}` : `≥ ${goal.least}${unit}`;
}

function verdict(figure: Figure): string {
  const met = meets(figure);
  if (met === null) return '';
  return met ? 'met' : '**missed**';
}

function rounded(value: number): string {
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toPrecision(2);
}
