import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { InstructionFile } from '../../core/instruction-files.ts';
import { runCommand } from '../../process/run.ts';
import { writeIdentity, writeInstructions } from './own-files.ts';

test('the identity file replaces what an agent put there, and leaves what is not czar’s', async () => {
  const base = mkdtempSync(join(tmpdir(), 'czar-identity-'));
  const tree = join(base, 'tree');
  const path = join(tree, 'ID.md');
  const elsewhere = join(base, 'elsewhere');
  const ours = '# Worker identity: one\n';
  const put: Readonly<Record<string, () => void | Promise<unknown>>> = {
    nothing: () => {},
    'our own': () => writeFileSync(path, '# Worker identity: before\n'),
    'one that a kill left empty': () => writeFileSync(path, ''),
    'a FIFO': () =>
      runCommand({
        argv: ['mkfifo', path],
        cwd: base,
        env: { PATH: process.env['PATH'] ?? '' },
        timeoutMs: 5_000,
      }),
    'a link': () => symlinkSync(elsewhere, path),
    'a link to nothing': () => symlinkSync('missing', path),
    'an empty folder': () => mkdirSync(path),
  };
  try {
    for (const [what, make] of Object.entries(put)) {
      rmSync(tree, { recursive: true, force: true });
      mkdirSync(tree);
      writeFileSync(elsewhere, '# Worker identity: theirs\n');
      await make();
      writeIdentity(tree, 'ID.md', ours);
      assert.ok(lstatSync(path).isFile(), what);
      assert.equal(readFileSync(path, 'utf8'), ours, what);
      assert.equal(readFileSync(elsewhere, 'utf8'), '# Worker identity: theirs\n', what);
      assert.deepEqual(readdirSync(base).sort(), ['elsewhere', 'tree'], what);
    }
    writeFileSync(path, 'The repository’s own.\n');
    writeIdentity(tree, 'ID.md', ours);
    assert.equal(readFileSync(path, 'utf8'), 'The repository’s own.\n');
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

test('the file of instructions takes the place of the one before it, and of nothing that is not czar’s', async () => {
  const base = mkdtempSync(join(tmpdir(), 'czar-instructions-'));
  const tree = join(base, 'tree');
  mkdirSync(tree);
  const at = (name: string): string => readFileSync(join(tree, name), 'utf8');
  const hidden: (readonly string[])[] = [];
  const put = async (
    file: InstructionFile | null,
    text: string,
    more: { readonly base?: readonly string[]; readonly hides?: boolean } = {},
  ): Promise<readonly string[]> => {
    await writeInstructions({
      tree,
      file,
      text,
      base: more.base ?? [],
      isDeliverable: () => false,
      hide: async (names) => {
        hidden.push(names);
        return more.hides ?? true;
      },
    });
    assert.deepEqual(readdirSync(base), ['tree']);
    return readdirSync(tree).sort();
  };
  const claude = { name: 'CLAUDE.md', hides: ['AGENTS.md'] } as const;
  const opencode = { name: 'AGENTS.md', hides: ['CLAUDE.md'] } as const;
  try {
    assert.deepEqual(await put(claude, 'one\n'), ['CLAUDE.md']);
    assert.match(at('CLAUDE.md'), /^<!-- czar wrote this file[^\n]* -->\none\n$/);
    await put(claude, 'two\n');
    assert.match(at('CLAUDE.md'), /\ntwo\n$/);
    assert.deepEqual(await put(opencode, 'three\n'), ['AGENTS.md'], 'another agent reads another');
    assert.deepEqual(await put(null, ''), [], 'one that reads none has none');
    assert.deepEqual(hidden, [['CLAUDE.md'], ['CLAUDE.md'], ['AGENTS.md'], []]);

    assert.deepEqual(await put(claude, 'four\n', { base: ['claude.md'] }), [], 'it was deleted');
    assert.deepEqual(await put(claude, 'four\n', { hides: false }), [], 'git would see it');
    symlinkSync('nowhere', join(tree, 'CLAUDE.md'));
    assert.deepEqual(await put(claude, 'five\n'), ['CLAUDE.md']);
    assert.ok(lstatSync(join(tree, 'CLAUDE.md')).isSymbolicLink());
    rmSync(join(tree, 'CLAUDE.md'));
    mkdirSync(join(tree, 'CLAUDE.md'));
    await put(claude, 'five\n');
    assert.ok(lstatSync(join(tree, 'CLAUDE.md')).isDirectory());
    rmSync(join(tree, 'CLAUDE.md'), { recursive: true });

    await put(claude, 'six\n');
    const changed = `${at('CLAUDE.md')}Build with make.\n`;
    writeFileSync(join(tree, 'CLAUDE.md'), changed);
    await put(claude, 'seven\n');
    assert.equal(at('CLAUDE.md'), changed, 'what somebody added stays');
    assert.deepEqual(hidden.at(-1), ['CLAUDE.md'], 'and git does not see it');
    assert.deepEqual(await put(opencode, 'eight\n'), ['AGENTS.md', 'CLAUDE.md']);
    writeFileSync(join(tree, 'CLAUDE.md'), '# Build\n');
    assert.deepEqual(await put(opencode, 'nine\n'), ['CLAUDE.md'], 'it would hide an agent’s own');
    assert.deepEqual(hidden.at(-1), []);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
