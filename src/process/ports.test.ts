import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bootId, identify } from './identity.ts';
import { Ports, portOf } from './ports.ts';

function scratch(t: { after: (what: () => void) => void }): {
  readonly folder: string;
  readonly attempt: (name: string, status?: string) => string;
} {
  const base = mkdtempSync(join(tmpdir(), 'czar-ports-'));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const attempt = (name: string, status = ''): string => {
    const dir = join(base, name);
    mkdirSync(dir, { recursive: true });
    if (status !== '') writeFileSync(join(dir, 'status'), status);
    return dir;
  };
  return { folder: join(base, 'ports'), attempt };
}

/** The records of an attempt that this process runs. */
function running(): string {
  const own = identify(process.pid);
  if (typeof own === 'string') return assert.fail(own);
  const who = `${own.pid} ${own.start} .\n`;
  return `boot ${bootId()} .\nshim ${who}agent ${who}`;
}

test('fault 42: live attempts of any loop have blocks of ports of their own, and get those that are given back', async (t) => {
  const { folder, attempt } = scratch(t);
  const [one, other] = [new Ports(folder), new Ports(folder)];
  const ports = [
    await one.take(attempt('a'), 5),
    await one.take(attempt('b'), 5),
    await other.take(attempt('c'), 5),
  ];
  assert.equal(new Set(ports).size, 3);
  assert.ok(ports.every((port) => port >= 20_000 && port < 32_000 && port % 10 === 0));
  one.release(attempt('a'));
  assert.equal(await other.take(attempt('d'), 5), ports[0]);
});

for (const [how, tables] of [
  ['as the kernel tells', undefined],
  ['as is tried where it tells nothing', ['/proc/no/such/table']],
] as const) {
  test(`fault 42: a block on whose ports anybody listens is not given, ${how}`, async (t) => {
    const { folder, attempt } = scratch(t);
    const ports = new Ports(folder, tables);
    const first = await ports.take(attempt('a'), 77);
    ports.release(attempt('a'));
    for (const [host, offset] of [
      ['127.0.0.1', 9],
      [undefined, 10],
    ] as const) {
      const server = createServer().listen({ port: first + offset, host });
      await once(server, 'listening');
      t.after(() => server.close());
    }
    const found = await new Ports(folder, tables).take(attempt('b'), 77);
    assert.ok(![first, first + 10].includes(found), `${found} was given`);
  });
}

test('fault 42: a later loop leaves live attempts of an earlier one their ports, and takes those of ended ones', async (t) => {
  const { folder, attempt } = scratch(t);
  const early = new Ports(folder);
  const live = await early.take(attempt('live', running()), 300);
  const ended = await early.take(attempt('ended', `${running()}\nexit 0 .\n`), 300);
  const gone = await early.take(attempt('gone', 'boot none .\nshim 1 1 .\nagent 1 1 .\n'), 300);
  const later = new Ports(folder);
  const next = [await later.take(attempt('x'), 300), await later.take(attempt('y'), 300)];
  assert.ok(!next.includes(live));
  assert.deepEqual(new Set(next), new Set([ended, gone]));
  later.release(attempt('live'));
  for (const name of ['x', 'y']) later.release(attempt(name));
  assert.deepEqual(readdirSync(folder), []);
});

test('an attempt gets ports also where none can be claimed', async (t) => {
  const { attempt, folder } = scratch(t);
  writeFileSync(folder, 'no folder');
  const ports = new Ports(folder);
  assert.equal(await ports.take(attempt('a'), 1), portOf(1));
  ports.release(attempt('a'));
});
