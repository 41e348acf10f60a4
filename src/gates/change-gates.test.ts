import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeVerdict } from '../core/events.ts';
import { defaultProtect } from '../core/protect.ts';
import { judgeChange, type Change } from './change-gates.ts';
import { aChange, aDefinition, aFile, aLink } from './testing.ts';

function judge(gate: ChangeVerdict['gate'], change: Change): ChangeVerdict {
  const verdict = judgeChange(change).find((one) => one.gate === gate);
  assert.ok(verdict);
  return verdict;
}

test('every verdict is bound to the tip, the patch and the definition', () => {
  const verdicts = judgeChange(aChange(['A a.txt']));
  assert.deepEqual(
    verdicts.map(({ gate }) => gate),
    ['deliverables', 'handoff', 'ownership', 'protect'],
  );
  for (const verdict of verdicts) {
    assert.deepEqual(
      [verdict.result, verdict.tip, verdict.patch, verdict.definition],
      ['pass', 'tip-1', 'patch-1', 'definition-1'],
    );
  }
});

test('a missing deliverable fails and is named', () => {
  const definition = aDefinition({
    deliverables: ['docs/', 'src/*.ts', 'README.md', 'lib', 'a/[id].ts'],
  });
  const files = ['README.md', 'src/a.ts', 'lib/x/y', 'a/[id].ts'].map(aFile);
  const verdict = judge('deliverables', aChange([], { definition, files }));
  assert.equal(verdict.result, 'fail');
  assert.deepEqual(verdict.files, ['docs/']);
  assert.match(verdict.findings[0] ?? '', /docs\//);
});

test('a folder that is promised needs a file in it, a file of its name is not enough', () => {
  const definition = aDefinition({ deliverables: ['docs/'] });
  assert.equal(
    judge('deliverables', aChange([], { definition, files: [aFile('docs')] })).result,
    'fail',
  );
  assert.equal(
    judge('deliverables', aChange([], { definition, files: [aFile('docs/.keep')] })).result,
    'pass',
  );
});

test('a required handoff that was not given fails', () => {
  const definition = aDefinition({ handoff: 'required' });
  assert.equal(judge('handoff', aChange([], { definition })).result, 'fail');
  assert.equal(judge('handoff', aChange([], { definition, handoffGiven: true })).result, 'pass');
});

test('a change outside of what a worker owns fails and names file and patterns', () => {
  const definition = aDefinition({ owns: ['src/python/**', 'notes'] });
  const verdict = judge(
    'ownership',
    aChange(['A src/python/a.py', 'M notes/x', 'M src/other.py', 'D gone'], { definition }),
  );
  assert.equal(verdict.result, 'fail');
  assert.deepEqual(verdict.files, ['src/other.py', 'gone']);
  assert.match(verdict.findings[0] ?? '', /src\/other\.py was changed.*src\/python\/\*\*/);
});

test('what a worker may only read is read-only even where it owns it or owns everything', () => {
  const references = ['agents/**'];
  for (const owns of [null, ['agents/**']]) {
    const verdict = judge(
      'ownership',
      aChange(['M agents/a.md'], { definition: aDefinition({ owns, references }) }),
    );
    assert.deepEqual([verdict.result, verdict.files], ['fail', ['agents/a.md']]);
    assert.match(verdict.findings[0] ?? '', /agents\/\*\* is read-only/);
  }
});

test('a worker that owns nothing may change nothing', () => {
  assert.equal(
    judge('ownership', aChange(['A x'], { definition: aDefinition({ owns: [] }) })).result,
    'fail',
  );
});

test("czar's own briefing does not merge", () => {
  assert.deepEqual(judge('ownership', aChange(['A WORKER_IDENTITY.md'])).files, [
    'WORKER_IDENTITY.md',
  ]);
  assert.equal(judge('ownership', aChange(['D WORKER_IDENTITY.md'])).result, 'pass');
});

test('a file of instructions that czar wrote for one attempt does not merge; one of the same name does', () => {
  const marked = ['CLAUDE.md'];
  const verdict = judge('ownership', aChange(['A CLAUDE.md', 'M AGENTS.md'], { marked }));
  assert.deepEqual([verdict.result, verdict.files], ['fail', ['CLAUDE.md']]);
  assert.match(verdict.findings[0] ?? '', /git rm --cached CLAUDE\.md/);
  assert.equal(judge('ownership', aChange(['D CLAUDE.md'], { marked })).result, 'pass');
});

test('links that lead out of the tree and nested repositories do not merge', () => {
  const files = [
    aLink('abs', '/etc/passwd'),
    aLink('a/up', '../../x'),
    aLink('a/sly', 'b/../../../x'),
    aLink('a/git', '../.GIT/hooks/post-commit'),
    { path: 'sub', mode: '160000', link: null },
    aLink('a/fine', '../src/x'),
    aLink('fine', './a/b'),
  ];
  const verdict = judge(
    'ownership',
    aChange(
      files.map(({ path }) => `A ${path}`),
      { files },
    ),
  );
  assert.deepEqual(verdict.files, ['abs', 'a/up', 'a/sly', 'a/git', 'sub']);
});

test('a link that the base has and nobody changed is not judged', () => {
  assert.equal(
    judge('ownership', aChange(['A x'], { files: [aFile('x'), aLink('abs', '/etc')] })).result,
    'pass',
  );
});

test('a worker that weakens its own check needs a person', () => {
  const change = aChange(['M scripts/check.sh', 'A src/a.ts'], {
    definition: aDefinition({ verify: ['sh ./scripts/check.sh --strict'], owns: ['**'] }),
    baseFiles: ['scripts/check.sh', 'src/b.ts'],
    gateCommands: ['sh ./scripts/check.sh --strict'],
  });
  const verdict = judge('protect', change);
  assert.deepEqual([verdict.result, verdict.files], ['fail', ['scripts/check.sh']]);
  assert.match(verdict.findings[0] ?? '', /czar approve alpha --path scripts\/check\.sh/);
});

test('files that a command names are found behind punctuation, cd and options', () => {
  const command = 'cd web && FOO=1 ./check.sh; node --config="etc/c.json" $(cat list.txt)|tee out';
  const baseFiles = ['web/check.sh', 'etc/c.json', 'list.txt', 'tests/a.test.ts', 'other'];
  const change = aChange(
    baseFiles.map((path) => `D ${path}`),
    { baseFiles, gateCommands: [command, 'npm test tests/'] },
  );
  assert.deepEqual(judge('protect', change).files, ['web/check.sh', 'etc/c.json', 'list.txt']);
});

test('a new file that a command names is the work, not a protected path', () => {
  assert.equal(
    judge('protect', aChange(['A check.sh'], { gateCommands: ['sh check.sh'] })).result,
    'pass',
  );
});

test('an approval settles exactly the patch that it was given for', () => {
  const approve = (patch: string) =>
    judge(
      'protect',
      aChange(['M .czar/config.yaml'], { approvals: [{ path: '.czar/config.yaml', patch }] }),
    ).result;
  assert.equal(approve('old:.czar/config.yaml..new:.czar/config.yaml'), 'pass');
  assert.equal(approve('old:.czar/config.yaml..earlier'), 'fail');
});

test('settings of git, hooks, continuous integration and agents are protected by default', () => {
  const paths = [
    'web/.gitattributes',
    '.gitmodules',
    '.husky/pre-commit',
    '.githooks/x',
    '.pre-commit-config.yaml',
    'lefthook.yml',
    '.github/workflows/ci.yml',
    '.GitHub/Workflows/ci.yml',
    '.gitlab-ci.yml',
    '.circleci/config.yml',
    'Jenkinsfile',
    'CODEOWNERS',
    '.claude/settings.json',
    'pkg/.codex/config.toml',
    '.gemini/settings.json',
    'AGENTS.md',
    'pkg/CLAUDE.md',
    '.mcp.json',
    '.czar/workers/b.md',
  ];
  const change = aChange(
    paths.map((path) => `M ${path}`),
    { policies: { protect: defaultProtect } },
  );
  assert.deepEqual(judge('protect', change).files, paths);
});

test('ordinary work touches nothing protected', () => {
  const paths = [
    'README.md',
    'src/.gitkeep',
    'docs/agents.md',
    '.github/ISSUE_TEMPLATE/bug.md',
    'claude/x',
    'package.json',
  ];
  const change = aChange(
    paths.map((path) => `M ${path}`),
    { policies: { protect: defaultProtect } },
  );
  assert.equal(judge('protect', change).result, 'pass');
});

test("a worker's own deliverables need no approval, unless the pattern names nothing in particular", () => {
  const judged = (deliverables: string[]) =>
    judge(
      'protect',
      aChange(['M .github/workflows/ci.yml', 'M AGENTS.md'], {
        definition: aDefinition({ deliverables }),
        policies: { protect: defaultProtect },
      }),
    ).files;
  assert.deepEqual(judged(['.github/workflows/ci.yml', 'AGENTS.md']), []);
  assert.deepEqual(judged(['.github/workflows/']), ['AGENTS.md']);
  assert.deepEqual(judged(['**', '*.md']), ['.github/workflows/ci.yml', 'AGENTS.md']);
});

test('a path with a quote in its name is shown as one word', () => {
  const change = aChange(["M .czar/it's"]);
  assert.match(judge('protect', change).findings[0] ?? '', /--path '\.czar\/it'\\''s'$/);
});
