/** What git shows: nothing lost (S7), integration as the log tells it (S5), sound repositories, and the landing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRemote } from './check-remote.ts';
import { readLog, type LogEvent } from './log.ts';
import { amendedFiles } from './plans.ts';
import { git, linesOf, type Scratch } from './scratch.ts';

/** Findings, and the tree that integration ended with. */
export function checkGit(
  scratch: Scratch,
  events: readonly LogEvent[],
): { readonly findings: readonly string[]; readonly tree: string } {
  const { repo } = scratch;
  const mirror = join(repo, '.git/czar/mirror.git');
  const findings = [
    ...checkSound(scratch, mirror),
    ...checkSound(scratch, join(repo, '.git')),
    ...checkLost(scratch, mirror),
  ];
  const integration = integrationOf(scratch);
  if (integration === null)
    return { findings: [...findings, 'there is no integration branch'], tree: '' };

  const base =
    events
      .find(({ type }) => type === 'run.started')
      ?.data.at('base')
      .text('commit') ?? '';
  const chain = linesOf(
    git(scratch, repo, 'rev-list', '--first-parent', '--reverse', `${base}..${integration}`),
  );
  const merged = events
    .filter(({ type }) => type === 'worker.merged' || type === 'run.synced')
    .map(({ data }) => data.text('commit'));
  if (chain.join(' ') !== merged.join(' '))
    findings.push(`S5: integration has ${chain.join(' ')}, the log merged ${merged.join(' ')}`);
  const inMirror = linesOf(
    git(scratch, mirror, 'for-each-ref', '--format=%(objectname)', '--points-at', integration),
  );
  if (inMirror.length === 0)
    findings.push('S5: the mirror has no ref where the integration branch stands');
  return { findings, tree: git(scratch, repo, 'rev-parse', `${integration}^{tree}`) };
}

/** After landing: `main` has the tree of integration, nothing is uncommitted, and all is sound. */
export function checkLanded(scratch: Scratch, tree: string): readonly string[] {
  const { repo } = scratch;
  const findings: string[] = [];
  const landed = git(scratch, repo, 'rev-parse', 'main^{tree}');
  if (landed !== tree) findings.push(`landed: main has tree ${landed}, integration has ${tree}`);
  const head = git(scratch, repo, 'symbolic-ref', 'HEAD');
  if (head !== 'refs/heads/main') findings.push(`landed: HEAD is ${head}`);
  // What the user wrote when the plan was amended is not committed.
  const written = new Set(Object.keys(amendedFiles(scratch.plan)));
  for (const line of linesOf(git(scratch, repo, 'status', '--porcelain')))
    if (!written.has(line.slice(3))) findings.push(`landed: the checkout is not clean: ${line}`);
  const merges = linesOf(git(scratch, repo, 'log', '--first-parent', '--format=%s', 'main'));
  if (merges.filter((subject) => /^land/i.test(subject)).length > 1) findings.push('landed twice');
  const events = readLog(repo)?.events ?? [];
  const target = git(scratch, repo, 'rev-parse', 'main');
  return [
    ...findings,
    ...checkRemote(scratch, events, target),
    ...checkSound(scratch, join(repo, '.git')),
  ];
}

function integrationOf(scratch: Scratch): string | null {
  const refs = linesOf(
    git(
      scratch,
      scratch.repo,
      'for-each-ref',
      '--format=%(objectname) %(refname)',
      'refs/heads/czar',
    ),
  ).filter((line) => line.endsWith('-integration'));
  return refs.length === 1 ? (refs[0]?.split(' ')[0] ?? null) : null;
}

function checkSound(scratch: Scratch, gitDir: string): readonly string[] {
  if (!existsSync(gitDir)) return [`there is no ${gitDir}`];
  try {
    const said = git(scratch, gitDir, 'fsck', '--full', '--no-dangling', '--no-progress');
    return linesOf(said).map((line) => `fsck of ${gitDir}: ${line}`);
  } catch (error) {
    return [`fsck of ${gitDir} fails: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** Every commit that an agent made, and every file that it did not take back, is reachable from a ref. */
function checkLost(scratch: Scratch, mirror: string): readonly string[] {
  const side = (name: string): readonly string[] => {
    const file = join(scratch.side, name);
    return existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : [];
  };
  const reachable = new Set(
    [mirror, join(scratch.repo, '.git')].flatMap((folder) =>
      linesOf(git(scratch, folder, 'rev-list', '--all', '--objects')).map(
        (line) => line.split(' ')[0] ?? '',
      ),
    ),
  );
  const findings: string[] = [];
  for (const line of side('commits')) {
    const [who = '', commit = ''] = line.split(' ');
    if (!reachable.has(commit)) findings.push(`S7: commit ${commit} of ${who} is lost`);
  }
  const gone = new Set(side('gone'));
  for (const line of side('files')) {
    const [who = '', path = '', blob = ''] = line.split(' ');
    if (!reachable.has(blob) && !gone.has(`${who} ${path}`))
      findings.push(`S7: ${path} of ${who} is lost (${blob})`);
  }
  return findings;
}
