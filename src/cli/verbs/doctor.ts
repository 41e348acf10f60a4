/** `czar doctor [--fix]`: what does not work, what is in danger, what is worth knowing. */
import { loadPlan } from '../../plan/load.ts';
import { examine, mend } from '../../upkeep/doctor.ts';
import type { Finding, Level } from '../../upkeep/finding.ts';
import { configSources } from '../config-sources.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { plural } from '../plan-files.ts';
import type { Style } from '../render.ts';
import { insideAttempt } from '../steering.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define: (command, context) => {
    command
      .option('--fix', 'mend what can be mended without any loss')
      .addHelpText(
        'after',
        '\nWithout --fix nothing is changed. With it: log files are made anew from the log, and what a killed czar' +
          '\nleft half made or half deleted is taken away.' +
          '\nExit codes: 0 no problem, 1 a problem.',
      )
      .action((options: { fix?: boolean }) => doctor(context, options.fix === true));
  },
};

async function doctor(context: CliContext, fix: boolean): Promise<void> {
  if (fix && (await insideAttempt(context, 'doctor --fix'))) return;
  const place = findPlace(context);
  if (place === null) return;
  const { root, home } = place;
  const plan = loadPlan({ root, home, sources: configSources(context) });
  const options = { place, env: { ...context.env }, plan };
  if (!fix) return show(context, { findings: await examine(options), mended: [], failed: [] });
  const done = await mend(options);
  if ('owner' in done) {
    const pid = done.owner?.pid;
    return context.fail({
      exit: exits.refused,
      what: 'a czar is running in this repository, and mends itself what it finds',
      where: pid === undefined ? null : `pid ${pid}`,
      next: 'czar doctor without --fix looks only',
    });
  }
  show(context, done);
}

const signs: Readonly<Record<Level, { readonly text: string; readonly style: Style }>> = {
  ok: { text: 'ok', style: 'green' },
  warn: { text: 'warn', style: 'yellow' },
  problem: { text: 'problem', style: 'red' },
};

function show(
  context: CliContext,
  done: {
    readonly findings: readonly Finding[];
    readonly mended: readonly Finding[];
    readonly failed: readonly { readonly finding: Finding; readonly error: string }[];
  },
): void {
  const { out, options } = context;
  const { findings, mended, failed } = done;
  const of = (level: Level): number => findings.filter((one) => one.level === level).length;
  context.exit(of('problem') > 0 || failed.length > 0 ? exits.failed : exits.done);
  if (options.json)
    return out.json({
      v: 1,
      ok: of('problem') === 0,
      findings: findings.map(document),
      mended: mended.map(document),
      failed: failed.map(({ finding, error }) => ({ ...document(finding), error })),
    });
  for (const one of mended)
    out.line({ text: 'mended ', style: 'green' }, `${one.check}: ${one.what}`);
  for (const { finding, error } of failed)
    out.line({ text: 'not mended ', style: 'red' }, `${finding.check}: ${error}`);
  for (const { check, level, what, where, next } of findings) {
    const sign = { text: signs[level].text.padEnd(8), style: signs[level].style };
    const isFine = level === 'ok';
    out.line(sign, `${check}: ${what}${isFine && where !== null ? ` (${where})` : ''}`);
    if (isFine) continue;
    if (where !== null) out.line(`        at ${where}`);
    if (next !== null) out.line(`        next: ${next}`);
  }
  out.line(`${plural(of('problem'), 'problem')}, ${plural(of('warn'), 'warning')}`);
}

function document({ mend: mending, ...finding }: Finding): object {
  return { ...finding, fixable: mending !== undefined };
}
