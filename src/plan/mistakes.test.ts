// What is wrong with plan files, and how it is said: one row for each mistake that people make.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadWorkers } from '../../test/support/plan-folder.ts';
import { renderDiagnostics } from './diagnostics.ts';

interface Mistake {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** `file:line:column` of the problem. */
  readonly at: string;
  readonly says: RegExp;
  readonly hint?: RegExp;
  readonly severity?: 'warning';
}

const front = (...lines: readonly string[]): string => `---\n${lines.join('\n')}\n---\n\nText.\n`;

const mistakes: readonly Mistake[] = [
  {
    name: 'an unknown key names the nearest known one',
    files: { a: front('role: x', 'dependancies: [b]') },
    at: 'a.md:3:1',
    says: /unknown key "dependancies"/,
    hint: /did you mean "dependencies"\?/,
  },
  {
    name: 'a key with a hyphen is found too',
    files: { a: front('success-criteria: [x]') },
    at: 'a.md:2:1',
    says: /unknown key "success-criteria"/,
    hint: /"success_criteria"/,
  },
  {
    name: 'an unknown key inside a field names the field’s own keys',
    files: { a: front('budget:', '  token: 5') },
    at: 'a.md:3:3',
    says: /unknown key "token"/,
    hint: /"tokens"/,
  },
  {
    name: 'an unknown key of a dependency',
    files: { a: front('dependencies:', '  - on: b', '    knd: output'), b: front('role: b') },
    at: 'a.md:4:5',
    says: /unknown key "knd"/,
    hint: /"kind"/,
  },
  {
    name: 'a number where a text belongs',
    files: { a: front('role: 5') },
    at: 'a.md:2:7',
    says: /role: expected a text, found the number 5/,
    hint: /"5"/,
  },
  {
    name: 'a text where a number belongs',
    files: { a: front('budget:', '  tokens: many') },
    at: 'a.md:3:11',
    says: /tokens: expected a number, found a text/,
  },
  {
    name: 'a field without a value',
    files: { a: front('mission:') },
    at: 'a.md:2:1',
    says: /mission: expected a text, found nothing/,
  },
  {
    name: 'an element of a list is named where it stands',
    files: { a: front('tasks:', '  - one', '  - {x: 1}') },
    at: 'a.md:4:5',
    says: /expected a text, found keys with values/,
  },
  {
    name: 'a map where a list belongs',
    files: { a: front('verify: {run: x}') },
    at: 'a.md:2:9',
    says: /verify: expected a command or a list of them, found keys with values/,
  },
  {
    name: 'a word that is none of the choices',
    files: { a: front('priority: hihg') },
    at: 'a.md:2:11',
    says: /one of critical, high, normal, low, found "hihg"/,
    hint: /did you mean high\?/,
  },
  {
    name: 'an id with capitals',
    files: { a: front('id: Foundation') },
    at: 'a.md:2:5',
    says: /lower-case/,
  },
  { name: 'the reserved id', files: { a: front('id: all') }, at: 'a.md:2:5', says: /reserved/ },
  {
    name: 'an id that git cannot have',
    files: { a: front('id: x.lock') },
    at: 'a.md:2:5',
    says: /\.lock/,
  },
  {
    name: 'an id with a way out',
    files: { a: front('id: ../x') },
    at: 'a.md:2:5',
    says: /lower-case/,
  },
  {
    name: 'an id that is too long',
    files: { a: front(`id: ${'x'.repeat(65)}`) },
    at: 'a.md:2:5',
    says: /64/,
  },
  {
    name: 'a file name that is no id',
    files: { 'A Worker': front('role: x') },
    at: 'A Worker.md:2:1',
    says: /name of the file/,
    hint: /write an id/,
  },
  {
    name: 'two workers with one id, naming both files',
    files: { a: front('id: same'), b: front('id: same') },
    at: 'b.md:2:5',
    says: /a\.md and .*b\.md/,
  },
  {
    name: 'two workers with one branch',
    files: { a: front('branch: feat/x'), b: front('branch: feat/X') },
    at: 'b.md:2:9',
    says: /"a" and "b" have the same branch/,
  },
  {
    name: 'two branches that some file systems take for one',
    files: { a: front('branch: "feat/\\u00e9"'), b: front('branch: "feat/e\\u0301"') },
    at: 'b.md:2:9',
    says: /"a" and "b" have the same branch/,
  },
  {
    name: 'a branch that is a folder of another',
    files: { a: front('branch: feat'), b: front('branch: feat/x') },
    at: 'b.md:2:9',
    says: /cannot be beside the branch feat of "a"/,
  },
  {
    name: 'a branch in czar’s own room',
    files: { a: front('branch: czar/1/a') },
    at: 'a.md:2:9',
    says: /its own branches/,
  },
  {
    name: 'a branch that git refuses',
    files: { a: front('branch: "a b"') },
    at: 'a.md:2:9',
    says: /blanks/,
  },
  {
    name: 'a branch that is an option',
    files: { a: front('branch: --force') },
    at: 'a.md:2:9',
    says: /begin with -/,
  },
  {
    name: 'an unknown dependency, with the nearest worker',
    files: { foundation: front('role: x'), b: front('dependencies: [fundation]') },
    at: 'b.md:2:16',
    says: /"b" depends on "fundation", which does not exist/,
    hint: /did you mean "foundation"\?/,
  },
  {
    name: 'a dependency on itself',
    files: { a: front('dependencies: a') },
    at: 'a.md:2:15',
    says: /"a" depends on itself/,
  },
  {
    name: 'a cycle, with the whole path',
    files: {
      a: front('dependencies: [c]'),
      b: front('dependencies: [a]'),
      c: front('dependencies: [b]'),
    },
    at: 'a.md:2:16',
    says: /circle: a → c → b → a/,
  },
  {
    name: 'two that both say all for qa',
    files: { a: front('role: qa', 'dependencies: all'), b: front('role: QA'), c: front('role: x') },
    at: 'b.md:2:7',
    says: /"a" and "b" both have role: qa/,
  },
  {
    name: 'an output dependency that requires less than complete',
    files: { a: front('role: x'), b: front('dependencies:', '  - {on: a, requires: verified}') },
    at: 'b.md:3:5',
    says: /cannot require only verified/,
  },
  {
    name: 'an output dependency on an empty workspace',
    files: { a: front('workspace: empty'), b: front('dependencies:', '  - {on: a, kind: output}') },
    at: 'b.md:3:5',
    says: /empty workspace/,
  },
  {
    name: 'inputs of a dependency that brings no files',
    files: {
      a: front('role: x'),
      b: front('dependencies:', '  - {on: a, kind: knowledge, inputs: [x]}'),
    },
    at: 'b.md:3:5',
    says: /only output brings files/,
  },
  {
    name: 'an absolute path',
    files: { a: front('deliverables: [/etc/passwd]') },
    at: 'a.md:2:16',
    says: /absolute/,
  },
  {
    name: 'a path that leads out',
    files: { a: front('owns: [../x/**]') },
    at: 'a.md:2:8',
    says: /"\.\."/,
  },
  {
    name: 'a path in .git',
    files: { a: front('owns: [.git/hooks/*]') },
    at: 'a.md:2:8',
    says: /\.git folder/,
  },
  {
    name: 'a path with NUL',
    files: { a: front('deliverables: ["a\\0b"]') },
    at: 'a.md:2:16',
    says: /control character/,
  },
  {
    name: 'a path with backslashes',
    files: { a: front("owns: ['a\\b']") },
    at: 'a.md:2:8',
    says: /backslash/,
  },
  {
    name: 'a pattern with an open bracket',
    files: { a: front("owns: ['a/[b']") },
    at: 'a.md:2:8',
    says: /unbalanced/,
  },
  {
    name: 'a negated pattern',
    files: { a: front("owns: ['!a']") },
    at: 'a.md:2:8',
    says: /negated/,
  },
  {
    name: 'an extended pattern',
    files: { a: front("owns: ['@(a|b)']") },
    at: 'a.md:2:8',
    says: /extended/,
  },
  {
    name: 'a duration without a unit',
    files: { a: front('timeout: 90') },
    at: 'a.md:2:10',
    says: /timeout: expected a duration such as 30s, .*, found the number 90/,
  },
  {
    name: 'a duration that is none',
    files: { a: front('timeout: soon') },
    at: 'a.md:2:10',
    says: /such as 30s, 10m or 1h30m/,
  },
  {
    name: 'a duration of nothing',
    files: { a: front('timeout: 0s') },
    at: 'a.md:2:10',
    says: /zero/,
  },
  {
    name: 'a number of attempts that is none',
    files: { a: front('retry: {max_attempts: 0}') },
    at: 'a.md:2:23',
    says: /from 1 to 100/,
  },
  {
    name: 'an infinite budget',
    files: { a: front('budget: {cost_usd: .inf}') },
    at: 'a.md:2:20',
    says: /number/,
  },
  {
    name: 'more approvals than reviewers',
    files: { a: front('review: {by: human, quorum: 2}') },
    at: 'a.md:2:9',
    says: /2 approvals cannot come: one person counts once/,
    hint: /quorum/,
  },
  {
    name: 'an expression over a worker that is no dependency',
    files: { a: front('role: x'), b: front('when: workers.a.no_change') },
    at: 'b.md:2:7',
    says: /"a" is not a dependency/,
  },
  {
    name: 'a key that stands twice',
    files: { a: front('role: x', 'role: y') },
    at: 'a.md:3:1',
    says: /"role" stands here twice/,
  },
  {
    name: 'YAML with tabs',
    files: { a: front('budget:', '\ttokens: 5') },
    at: 'a.md:3:1',
    says: /not YAML/,
    hint: /spaces/,
  },
  {
    name: 'YAML with an open bracket',
    files: { a: front('tasks: [a') },
    at: 'a.md:3:1',
    says: /not YAML/,
  },
  {
    name: 'an alias that leads nowhere',
    files: { a: front('role: *x') },
    at: 'a.md:2:7',
    says: /alias/,
  },
  {
    name: 'keys beside worker',
    files: { a: 'worker:\n  id: a\nrole: x\n' },
    at: 'a.md:3:1',
    says: /role: this stands beside worker/,
    hint: /below worker:/,
  },
  {
    name: 'a text that is no worker',
    files: { a: 'Just some words.\n' },
    at: 'a.md:1:1',
    says: /no worker file/,
  },
  { name: 'an empty file', files: { a: '' }, at: 'a.md:1:1', says: /no worker file/ },
  {
    name: 'front matter that is a list',
    files: { a: front('- a', '- b') },
    at: 'a.md:2:1',
    says: /expected keys with values, found a list/,
  },
  {
    name: 'a field that is not acted on',
    files: { a: front('labels: {gpu: "yes"}') },
    at: 'a.md:2:1',
    says: /labels: this version does not act on it/,
    severity: 'warning',
  },
  {
    name: 'claims that overlap of workers that could run together',
    files: { a: front('owns: [src/**]'), b: front('owns: [src/x.ts]') },
    at: 'b.md:2:7',
    says: /owns of "b" overlaps with that of "a"/,
    severity: 'warning',
  },
];

for (const { name, files, at, says, hint, severity = 'error' } of mistakes) {
  test(name, () => {
    const { diagnostics, plan } = loadWorkers(files);
    const shown = renderDiagnostics(diagnostics);
    const found = diagnostics.find((one) => says.test(one.message));
    assert.ok(found !== undefined, `not said:\n${shown}`);
    assert.equal(`${found.file}:${found.line}:${found.column}`, `.czar/workers/${at}`, shown);
    assert.equal(found.severity, severity);
    if (hint !== undefined) assert.match(found.hint ?? '', hint);
    assert.equal(plan === null, severity === 'error');
    assert.equal(diagnostics.length, 1, shown);
  });
}
