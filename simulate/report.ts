/** The coverage report: how often everything was reached, and what never was. */
import { eventTypes } from '../src/journal/codec.ts';
import type { Coverage } from './coverage.ts';
import { faultRates } from './faults.ts';
import { invariants } from './invariants.ts';

export interface Totals {
  readonly runs: number;
  readonly first: number;
  readonly failed: number;
  readonly events: number;
  readonly steps: number;
  readonly lasted: number;
  readonly seconds: number;
}

/** Text of the report, in Markdown. */
export function report(coverage: Coverage, totals: Totals): string {
  const years = totals.lasted / 31_557_600_000;
  const lines = [
    '# What the simulation reached',
    '',
    `${totals.runs} runs from seed ${totals.first}, ${totals.failed} failed; ${totals.events} events, ${totals.steps} steps, ${coverage.total('fault')} faults, ${years.toFixed(2)} simulated years, ${totals.seconds.toFixed(0)} s.`,
    '',
  ];
  for (const kind of coverage.kinds()) {
    lines.push(`## ${kind}`, '');
    for (const [name, count] of coverage.of(kind)) lines.push(`- ${name}: ${count}`);
    lines.push('');
  }
  const never = neverReached(coverage);
  lines.push(
    '## Never reached',
    '',
    ...(never.length > 0 ? never.map((one) => `- ${one}`) : ['- nothing']),
  );
  return `${lines.join('\n')}\n`;
}

/** Kinds of faults, places of effects, event types and invariants that no run came to. */
export function neverReached(coverage: Coverage): readonly string[] {
  const struck = new Set([...coverage.of('fault').keys()].map((name) => name.split(' at ')[0]));
  const checked = coverage.of('invariant');
  const faults = coverage.of('fault');
  const events = coverage.of('event');
  const unharmed = [...coverage.of('site').keys()].flatMap((site) =>
    (isAppend(site) ? ['crash-append'] : ['crash', 'throw', 'slow'])
      .map((kind) => `${kind} at ${site}`)
      .filter((name) => !faults.has(name)),
  );
  return [
    ...unharmed,
    ...Object.keys(eventTypes).filter((type) => !events.has(type)),
    ...Object.keys(faultRates).filter((kind) => !struck.has(kind)),
    ...Object.keys(invariants).filter((name) => !checked.has(name)),
  ];
}

/** Around an append the process can die; nothing else happens there. */
function isAppend(site: string): boolean {
  return site.startsWith('append:');
}
