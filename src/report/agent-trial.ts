/** What a trial of an agent showed, as text. Pure. */
import type { AgentTrialDocument } from './agent-trial-schema.ts';
import { oneLine } from './cells.ts';
import { thousands } from './figures.ts';

/** A line for each thing that was looked at, then its last words when something did not work. */
export function trialLines(trial: AgentTrialDocument): readonly string[] {
  const { judgement, usage } = trial;
  const lines: (readonly [boolean | null, string, string])[] = [
    [trial.started, 'started', trial.started ? '' : (trial.error ?? '')],
    ...(trial.started
      ? ([
          [trial.said.length > 0, 'said something', trial.said.at(-1) ?? ''],
          [trial.session === null ? null : true, 'session', trial.session ?? 'it told none'],
          [usage === null ? null : true, 'usage', usageText(usage)],
          [trial.written, 'wrote the file', ''],
          [
            trial.committed || (trial.commit_needed ? false : null),
            'committed it',
            commitText(trial),
          ],
          [judgement?.kind === 'well', 'ended well', endText(judgement)],
          ...trial.denied.map((what) => [null, 'not allowed', what] as const),
        ] as const)
      : []),
    ...(trial.started && trial.error !== null
      ? [[false, 'ended whole', trial.error] as const]
      : []),
  ];
  return [
    ...lines.map(([worked, what, text]) => {
      const sign = worked === null ? '-' : worked ? 'yes' : 'NO';
      return `${sign.padEnd(4)} ${oneLine(text === '' ? what : `${what}: ${text}`)}`;
    }),
    ...(trial.ok || trial.said.length === 0
      ? []
      : ['It said:', ...trial.said.map((line) => `  ${line}`)]),
  ];
}

function usageText(usage: AgentTrialDocument['usage']): string {
  if (usage === null) return 'it told none';
  const tokens = `${thousands(usage.input)} in, ${thousands(usage.output)} out, ${thousands(usage.cached)} cached`;
  return usage.cost_usd === 0 ? tokens : `${tokens}, $${usage.cost_usd.toFixed(4)}`;
}

function commitText({ committed, commit_needed: needed }: AgentTrialDocument): string {
  return committed || needed ? '' : 'it may not, and need not: czar commits for it';
}

function endText(judgement: AgentTrialDocument['judgement']): string {
  if (judgement === null || judgement.kind === 'well') return '';
  const until = judgement.until === null ? '' : ` (until ${judgement.until})`;
  return judgement.kind === 'quota'
    ? `its provider has no more for it now${until}: ${judgement.reason ?? ''}`
    : (judgement.reason ?? '');
}
