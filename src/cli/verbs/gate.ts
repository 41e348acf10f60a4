/** `czar gate WORKER`: every gate with its verdict, the end of its output, and where the whole of it lies. */
import { outputsIn } from '../../daemon/views/gate-outputs.ts';
import { spanText } from '../../report/figures.ts';
import { gateDocument } from '../../report/gates.ts';
import type { GateDocument } from '../../report/gates-schema.ts';
import { readingWorker } from '../reading.ts';
import type { Verb } from '../verb.ts';

/** Lines of an output that are shown. */
const shownLines = 20;

export const verb: Verb = {
  define(command, context) {
    command.argument('<worker>', 'worker whose gates to show').action(async (id: string) => {
      await readingWorker(context, id, ({ place, run, worker }) => {
        const document = gateDocument(run, worker, outputsIn(place));
        if (context.options.json) return context.out.json(document);
        for (const gate of document.gates) for (const line of lines(gate)) context.out.line(line);
      });
    });
  },
};

const marks = { pass: '✓', fail: '✗', inconclusive: '?' } as const;
const words = { pass: 'passed', fail: 'failed', inconclusive: 'gave no verdict' } as const;
const places = { change: '', branch: ' on its branch', combined: ' on the combined tree' } as const;

function lines(gate: GateDocument['gates'][number]): readonly string[] {
  const { result, command, duration_ms, findings, files, output, log } = gate;
  const name = `${gate.gate}${command === null ? '' : ` (${command})`}${places[gate.on]}`;
  if (result === null) return [`· ${name}: not judged`];
  const time = duration_ms === null ? '' : `, ${spanText(duration_ms)}`;
  const tries = gate.tries === null || gate.tries === 1 ? '' : ` on try ${gate.tries}`;
  const apart = gate.quarantined ? ', in quarantine: it judges nothing' : '';
  const head = `${marks[result]} ${name}: ${words[result]}${tries}${time}${apart}`;
  const where = log === null ? [] : [`    output: ${log}`];
  if (result === 'pass') return [head, ...where];
  const said = output === null ? findings.flatMap((one) => one.split('\n')) : output.split('\n');
  return [
    head,
    ...(files.length === 0 ? [] : [`    files: ${files.join(', ')}`]),
    ...where,
    ...said.slice(-shownLines).map((line) => `    | ${line}`),
  ];
}
