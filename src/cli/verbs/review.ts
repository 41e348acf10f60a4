/**
 * `czar review WORKER`: what is to be reviewed and what was said of it; with `--approve` or `--request-changes` a
 * person's word on it. Comments on lines come from a file, standard input (`-`) or an editor.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ReviewFinding } from '../../core/events.ts';
import { workerDiff } from '../../daemon/views/diff.ts';
import { runOnTerminal } from '../../daemon/views/open-tree.ts';
import { reviewDocument, reviewText } from '../../report/review.ts';
import { exits } from '../exit.ts';
import { readingWorker } from '../reading.ts';
import { parseComments } from './review-comments.ts';
import { insideAttempt, steer } from '../steering.ts';
import type { CliContext, Verb } from '../verb.ts';

interface Options {
  readonly approve?: boolean;
  readonly requestChanges?: boolean;
  readonly message?: string;
  readonly comments?: string;
  readonly editor?: boolean;
}

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker whose change is looked at')
      .option('--approve', 'the change may be merged')
      .option('--request-changes', 'the change goes back to its agent with what you say')
      .option('-m, --message <text>', 'what you say of the whole')
      .option(
        '--comments <file>',
        'comments on lines, as PATH:LINE: TEXT or a JSON list; - for stdin',
      )
      .option('--editor', 'write the comments in $VISUAL or $EDITOR')
      .action(async (worker: string, options: Options) => {
        if (await insideAttempt(context, 'review')) return;
        if (options.approve === true && options.requestChanges === true)
          return context.fail({
            exit: exits.wrong,
            what: '--approve and --request-changes exclude each other',
            next: `czar review ${worker} shows what was said so far`,
          });
        const says =
          options.approve === true ||
          options.requestChanges === true ||
          options.comments !== undefined ||
          options.editor === true;
        await (says ? decide(context, worker, options) : show(context, worker));
      });
  },
};

async function show(context: CliContext, id: string): Promise<void> {
  await readingWorker(context, id, async ({ place, run, worker }) => {
    const { out, options, columns } = context;
    const found = await workerDiff(place, { run, worker, width: columns });
    const stat = found === null || 'problem' in found ? '' : found.stat;
    const document = reviewDocument(run, worker);
    if (options.json) return out.json(document);
    for (const line of reviewText(document, stat)) out.line(line);
  });
}

async function decide(context: CliContext, worker: string, options: Options): Promise<void> {
  let tip: string | null = null;
  let findings: readonly ReviewFinding[] = [];
  let file: string | null = null;
  if (options.editor === true) {
    const written = await edited(context, worker);
    if (written === null) return;
    ({ tip, findings, file } = written);
  }
  if (options.comments !== undefined) {
    const read = commentsIn(context, options.comments);
    if (read === null) return;
    findings = [...findings, ...read];
  }
  const result = options.approve === true ? 'approve' : 'changes_requested';
  const text = options.message ?? '';
  const told = await steer(
    context,
    (run) => ({ kind: 'review', run, worker, result, tip, text, findings }),
    result === 'approve'
      ? `The change of ${worker} is approved.`
      : `${worker} goes back with what you said.`,
  );
  if (file === null) return;
  if (told || findings.length === 0) rmSync(dirname(file), { recursive: true, force: true });
  else context.out.note(`What you wrote lies in ${file}: --comments takes it.`);
}

function commentsIn(context: CliContext, file: string): readonly ReviewFinding[] | null {
  const where = file === '-' ? 'standard input' : file;
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const what = `the comments cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    context.fail({ exit: exits.wrong, what, where });
    return null;
  }
  return commentsOf(context, text, where);
}

function commentsOf(
  context: CliContext,
  text: string,
  where: string,
): readonly ReviewFinding[] | null {
  const parsed = parseComments(text);
  if ('findings' in parsed) return parsed.findings;
  context.fail({
    exit: exits.wrong,
    what: parsed.why,
    where: `${where}:${parsed.line}`,
    next: 'write src/a.ts:12: what is wrong, or src/a.ts:12: high: what is wrong',
  });
  return null;
}

interface Written {
  readonly tip: string | null;
  readonly findings: readonly ReviewFinding[];
  /** Where it lies, in a folder of its own. */
  readonly file: string;
}

/**
 * What the person writes in an editor, of the commit that is there when it opens; null when that was told. What cannot be
 * read stays where it was written.
 */
async function edited(context: CliContext, id: string): Promise<Written | null> {
  const editor = context.env['VISUAL'] ?? context.env['EDITOR'] ?? '';
  if (editor === '' || !context.isTerminal) {
    const what = editor === '' ? 'no editor is set' : 'an editor needs a terminal';
    context.fail({ exit: exits.wrong, what, next: 'set EDITOR, or use --comments FILE' });
    return null;
  }
  const seen: { tip: string | null; stat: string }[] = [];
  await readingWorker(context, id, async ({ place, run, worker }) => {
    const found = await workerDiff(place, { run, worker, width: 100 });
    const stat = found === null || 'problem' in found ? '' : found.stat;
    seen.push({ tip: worker.work?.tip ?? null, stat });
  });
  const [looked] = seen;
  if (looked === undefined) return null;
  const { tip, stat } = looked;
  const dir = mkdtempSync(join(tmpdir(), 'czar-review-'));
  const file = join(dir, 'comments.txt');
  const help = [
    'One comment a line: PATH:LINE: TEXT, or PATH:LINE: high: TEXT.',
    ...stat.split('\n'),
  ];
  writeFileSync(file, `\n${help.map((line) => `# ${line}`.trimEnd()).join('\n')}\n`);
  const ended = await runOnTerminal({
    argv: ['/bin/sh', '-c', `${editor} "$1"`, 'sh', file],
    cwd: context.cwd,
    env: context.env,
    stdout: 1,
  });
  if ('problem' in ended || ended.code !== 0) {
    rmSync(dir, { recursive: true, force: true });
    const how = 'problem' in ended ? ended.problem : `it ended with ${ended.code ?? 'a signal'}`;
    context.fail({ exit: exits.refused, what: 'nothing was said', where: `${editor}: ${how}` });
    return null;
  }
  const findings = commentsOf(context, readFileSync(file, 'utf8'), file);
  if (findings === null)
    context.out.note('What you wrote stays there: mend it, and --comments takes it.');
  return findings === null ? null : { tip, findings, file };
}
