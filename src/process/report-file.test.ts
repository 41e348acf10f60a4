import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Report } from '../core/events.ts';
import { appendReport, maxReportLineBytes, maxTextBytes, parseReportLine } from './report-file.ts';
import { readLines } from './tail.ts';

const home = mkdtempSync(join(tmpdir(), 'czar-report-'));
after(() => rmSync(home, { recursive: true, force: true }));

function readAll(path: string): readonly unknown[] {
  const { lines } = readLines({ path, offset: 0, maxBytes: 64 * 1024 * 1024 });
  return lines.map((line) => parseReportLine(line.text)).filter((report) => report !== null);
}

test('reports of every kind come back as they were', () => {
  const path = join(home, 'kinds');
  const nasty = 'quotes " \' ` and $(x)\nnew line\r\ttab \0 nul \x1b[31m \u2028 \\ é 🚀';
  const reports: readonly Report[] = [
    { kind: 'task-start', task: nasty },
    { kind: 'task-complete', task: nasty },
    { kind: 'checkpoint', name: nasty },
    { kind: 'blocked', text: nasty },
    { kind: 'ask', text: nasty },
    { kind: 'ask', text: nasty, wait: { id: 'q1', ms: 1 } },
    {
      kind: 'permission',
      id: 'p1',
      request: { kind: 'command', title: nasty, command: nasty, path: nasty },
    },
    { kind: 'permission', id: 'p999999999', request: { kind: 'other', title: nasty } },
    { kind: 'gave-up', id: 'p1' },
    { kind: 'denied', tool: nasty, detail: nasty },
    { kind: 'handoff', text: nasty.repeat(100) },
    { kind: 'usage', usage: { input: 1, output: 2, cached: 3, costUsd: 0.04 } },
  ];
  for (const report of reports) appendReport(path, report);
  assert.deepEqual(readAll(path), reports);
});

test('a torn line spoils only itself', () => {
  const path = join(home, 'torn');
  appendReport(path, { kind: 'checkpoint', name: 'a' });
  appendFileSync(path, '\n{"v":1,"kind":"check');
  appendReport(path, { kind: 'checkpoint', name: 'b' });
  const all = readAll(path);
  assert.equal(all.length, 3);
  assert.deepEqual(all[0], { kind: 'checkpoint', name: 'a' });
  assert.deepEqual(all[2], { kind: 'checkpoint', name: 'b' });
});

test('twenty writers at once lose and mix nothing', async () => {
  const path = join(home, 'parallel');
  const program = `
    import { appendReport } from ${JSON.stringify(import.meta.resolve('./report-file.ts'))};
    const [file, who] = process.argv.slice(1);
    for (let i = 0; i < 10; i++) appendReport(file, { kind: 'handoff', text: who + ' ' + i + ' ' + 'x'.repeat(9000) });`;
  const writers = Array.from({ length: 20 }, (_, i) =>
    once(
      spawn(process.execPath, ['--input-type=module', '-e', program, path, String(i)], {
        stdio: 'inherit',
      }),
      'exit',
    ),
  );
  await Promise.all(writers);
  const texts = readAll(path).map((report) => JSON.stringify(report));
  assert.equal(texts.length, 200);
  assert.equal(new Set(texts).size, 200);
  assert.ok(texts.every((text) => text.startsWith('{"kind":"handoff"')));
});

test('the longest text made only of control characters fits a line', () => {
  const path = join(home, 'long');
  appendReport(path, { kind: 'handoff', text: `a${'\x01'.repeat(maxTextBytes - 1)}` });
  const { lines } = readLines({ path, offset: 0, maxBytes: maxReportLineBytes });
  assert.equal(lines.length, 2);
  assert.deepEqual(
    lines.map((line) => line.cut),
    [false, false],
  );
});

test('what is not acceptable is refused with a reason', () => {
  const refused = (line: string): string => {
    const result = parseReportLine(line);
    assert.ok(result !== null && 'refused' in result, line);
    return result.refused;
  };
  assert.match(refused('{"v":1,'), /not a JSON object/);
  assert.match(refused('[1]'), /not a JSON object/);
  assert.match(refused('{"v":2,"kind":"ask","text":"x"}'), /version 2/);
  assert.match(refused('{"v":1,"kind":"merge"}'), /kind "merge"/);
  assert.match(refused('{"v":1,"kind":"ask","text":7}'), /no text/);
  assert.match(refused('{"v":1,"kind":"ask","text":"  "}'), /empty/);
  assert.match(
    refused(JSON.stringify({ v: 1, kind: 'ask', text: 'x'.repeat(70_000) })),
    /70000 bytes/,
  );
  for (const line of [
    '{"v":1,"kind":"permission","id":"../p1","request":{"kind":"other","title":"x"}}',
    '{"v":1,"kind":"permission","id":"p0","request":{"kind":"other","title":"x"}}',
    '{"v":1,"kind":"permission","id":"p1"}',
    '{"v":1,"kind":"permission","id":"p1","request":{"kind":"sudo","title":"x"}}',
    '{"v":1,"kind":"permission","id":"p1","request":{"kind":"other"}}',
    '{"v":1,"kind":"permission","id":"p1","request":{"kind":"command","title":"x","command":7}}',
    '{"v":1,"kind":"gave-up"}',
    '{"v":1,"kind":"denied","tool":"x"}',
    '{"v":1,"kind":"ask","text":"x","wait":{"id":"q1","ms":0}}',
    '{"v":1,"kind":"ask","text":"x","wait":{"id":"q1","ms":1e12}}',
    '{"v":1,"kind":"ask","text":"x","wait":{"ms":1}}',
  ])
    assert.match(refused(line), /permission|gave-up|denied|ask/, line);
  for (const figure of ['-1', '1e13', '1e999', '"5"', 'true', '[1]']) {
    assert.match(
      refused(`{"v":1,"kind":"usage","usage":{"input":${figure}}}`),
      /input|JSON/,
      figure,
    );
  }
  assert.match(refused('{"v":1,"kind":"usage","usage":{}}'), /no figures/);
  assert.equal(parseReportLine('  '), null);
});
