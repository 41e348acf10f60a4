/** Agents that write where they should not: in the user's checkout, by its path. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

test('fault 62: an agent that writes to the checkout by its path is told of, nothing of that is merged, and the user’s own edits are not taken for it', async () => {
  await using scratch = await Scratch.make();
  const at = (path: string): string => join(scratch.repo, path);
  for (const path of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) scratch.write(path, 'base\n');
  scratch.scripted(`
case $CZAR_WORKER in
a) echo agent > ${at('a.txt')}; echo new > ${at('new.txt')};;
b) echo agent > ${at('b.txt')}; echo own > b.txt;;
c) echo user > ${at('d.txt')}; echo own > c.txt;;
esac
`);
  for (const id of ['a', 'b', 'c']) scratch.worker(id, id === 'a' ? '' : 'dependencies: [a]');
  scratch.commitAll();
  scratch.allow({ files: ['a.txt', 'b.txt', 'd.txt', 'new.txt'] });
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const notes = (worker: string): readonly string[] =>
    scratch
      .log()
      .flatMap((event) =>
        event.type === 'work.collected' && event.worker === worker ? (event.data.notes ?? []) : [],
      );
  const told = (files: string): readonly string[] => [
    `while it worked ${files} changed in your checkout: by you, or by the agent, which nothing keeps in its tree`,
  ];
  assert.deepEqual(notes('a'), told('a.txt, new.txt'));
  assert.deepEqual(notes('b'), told('b.txt'));
  assert.deepEqual(notes('c'), [], 'what it has nothing to do with may be the user’s');
  assert.match(stderr, /a: while it worked a\.txt, new\.txt changed in your checkout/);
  const { run } = await scratch.json('status');
  assert.equal(scratch.git('show', `${run.integration}:a.txt`), 'base');
  assert.equal(scratch.git('show', `${run.integration}:b.txt`), 'own');
  assert.equal(readFileSync(at('a.txt'), 'utf8'), 'agent\n', 'and czar changes nothing there');
});
