import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { PermissionRequest } from '../core/events.ts';
import { writeAnswer } from '../process/answer-file.ts';
import { parseReportLine } from '../process/report-file.ts';
import { askPermission, permissionsIn, type AttemptPermissions } from './ask-permission.ts';

const home = mkdtempSync(join(tmpdir(), 'czar-ask-'));
after(() => rmSync(home, { recursive: true, force: true }));
let made = 0;

interface Made {
  readonly attemptDir: string;
  readonly permissions: AttemptPermissions;
}

function attempt({ n = 1, afterMs = 60_000 } = {}): Made {
  const worker = join(home, String((made += 1)));
  const attemptDir = join(worker, String(n));
  const tree = join(worker, 'tree');
  for (const dir of [attemptDir, tree]) mkdirSync(dir, { recursive: true });
  const permissions = { policy: 'work', allow: ['git *'], tree, afterMs } as const;
  writeFileSync(join(attemptDir, 'permissions.json'), JSON.stringify({ v: 1, ...permissions }));
  assert.deepEqual(permissionsIn(attemptDir), permissions);
  return { attemptDir, permissions };
}

function reports({ attemptDir }: Made): readonly unknown[] {
  const lines = readFileSync(join(attemptDir, 'report'), 'utf8').split('\n');
  return lines.flatMap((line) => parseReportLine(line) ?? []);
}

const push: PermissionRequest = { kind: 'command', title: 'Push', command: 'rm -r x' };

describe('a program inside an attempt', () => {
  test('is told at once what the policy says', async () => {
    const of = attempt();
    const ask = async (request: PermissionRequest) => (await askPermission(request, of)).decision;
    assert.equal(await ask({ kind: 'command', title: 'x', command: 'git log' }), 'allow');
    const path = '.git/config';
    assert.equal(await ask({ kind: 'edit', title: 'x', path }), 'deny');
    const detail = join(of.permissions.tree, path);
    assert.deepEqual(reports(of), [{ kind: 'denied', tool: 'edit', detail: path }], detail);
  });

  test('waits for what a person says, and gets it as it was said', async () => {
    for (const answer of [
      { decision: 'allow', text: null },
      { decision: 'deny', text: 'not "today"\n' },
    ] as const) {
      const of = attempt();
      const asked = askPermission(push, of);
      assert.deepEqual(reports(of), [{ kind: 'permission', id: 'p1', request: push }]);
      writeAnswer(of.attemptDir, 'p1', answer);
      assert.deepEqual(await asked, answer);
      assert.equal(reports(of).length, 1);
    }
  });

  test('finds an answer that was there before it looked', async () => {
    const of = attempt();
    mkdirSync(join(of.attemptDir, 'answers'));
    writeAnswer(of.attemptDir, 'p1', { decision: 'allow', text: null });
    assert.equal((await askPermission(push, of)).decision, 'allow');
  });

  test('is not confused by others that ask at the same time, nor by an earlier attempt', async () => {
    const of = attempt({ n: 3 });
    const asked = Array.from({ length: 20 }, async (_, n) =>
      askPermission({ ...push, command: `rm ${n}` }, of),
    );
    const said = reports(of) as readonly { id: string; request: { command: string } }[];
    assert.equal(new Set(said.map(({ id }) => id)).size, 20);
    assert.equal(said[0]?.id, 'p2001');
    for (const { id, request } of said) {
      const odd = Number(request.command.slice(3)) % 2 === 1;
      writeAnswer(of.attemptDir, id, { decision: odd ? 'allow' : 'deny', text: request.command });
    }
    const answers = await Promise.all(asked);
    answers.forEach((answer, n) =>
      assert.deepEqual(answer, { decision: n % 2 === 1 ? 'allow' : 'deny', text: `rm ${n}` }),
    );
  });

  test('denies when it is called off, and says that nobody waits any more', async () => {
    const of = attempt();
    const off = new AbortController();
    const asked = askPermission(push, { ...of, signal: off.signal });
    off.abort();
    const { decision, text } = await asked;
    assert.equal(decision, 'deny');
    assert.match(text ?? '', /Find another way/);
    assert.deepEqual(reports(of).at(-1), { kind: 'gave-up', id: 'p1' });
  });

  test('denies at once where nobody can be asked', async () => {
    const of = attempt({ afterMs: 0 });
    assert.equal((await askPermission(push, of)).decision, 'deny');
    assert.deepEqual(reports(of), [{ kind: 'denied', tool: 'command', detail: 'rm -r x' }]);
  });

  test('judges a link by where it leads', async () => {
    const of = attempt();
    symlinkSync(home, join(of.permissions.tree, 'out'));
    const off = AbortSignal.abort();
    const request = { kind: 'edit', title: 'x', path: 'out/new/file' } as const;
    assert.equal((await askPermission(request, { ...of, signal: off })).decision, 'deny');
    assert.deepEqual(reports(of)[0], { kind: 'permission', id: 'p1', request });
  });

  test('takes nothing half written or of another kind for an answer', async () => {
    const of = attempt();
    const asked = askPermission(push, of);
    const dir = join(of.attemptDir, 'answers');
    for (const text of ['', '{"v":1', '[]', '{"v":2,"decision":"allow"}', '{"v":1,"decision":1}'])
      writeFileSync(join(dir, 'p1.json'), text);
    writeAnswer(of.attemptDir, 'p1', { decision: 'deny', text: null });
    assert.equal((await asked).decision, 'deny');
  });
});
