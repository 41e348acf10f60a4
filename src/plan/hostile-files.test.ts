// A table of files that are made to hurt, and a fuzzer over a corpus: each gives a plan, or errors with file and line.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  hostileConfigs,
  hostileCzarina,
  hostileWorkers,
  wrongTypes,
  type HostileFile,
} from '../../test/support/hostile-plans.ts';
import { planFolder, type PlanFolder } from '../../test/support/plan-folder.ts';
import { hasErrors, renderDiagnostic } from './diagnostics.ts';
import type { LoadedPlan } from './load.ts';
import { workerSchema } from './worker-schema.ts';

/** Time of the processor that loading a file may take, milliseconds: a machine may have other things to do. */
const patienceMs = 4_000;

const harmless = '---\nrole: x\n---\n';
const corpus = join(import.meta.dirname, '../../test/fixtures/hostile');

/** Loads the plan; asserts what holds of every plan, whatever stands in its files. */
function load(folder: PlanFolder, what: string): LoadedPlan {
  const before = process.cpuUsage();
  const loaded = folder.load();
  const spent = process.cpuUsage(before).user / 1000;
  assert.ok(spent < patienceMs, `${what} took ${Math.round(spent)} ms`);
  const { plan, diagnostics } = loaded;
  if (loaded.found > 0) assert.equal(plan === null, hasErrors(diagnostics), what);
  assert.ok(diagnostics.length <= 50 * 8, what);
  for (const one of diagnostics) {
    assert.ok(one.line >= 1 && one.column >= 1 && one.length >= 1, `${what}: ${one.message}`);
    assert.ok(one.message.length < 1_000, `${what}: ${one.message.slice(0, 200)}`);
    assert.ok(renderDiagnostic(one).length <= 3, `${what}: ${one.message}`);
  }
  return loaded;
}

function refuses(files: Readonly<Record<string, HostileFile>>, file: string, name: string): void {
  const hostile = files[name];
  assert.ok(hostile !== undefined);
  using folder = planFolder({ [file]: hostile.content });
  if (!file.endsWith('config.json')) folder.write({ '.czar/workers/harmless.md': harmless });
  const { plan, diagnostics } = load(folder, name);
  assert.equal(plan, null, `${name} is taken`);
  const errors = diagnostics.filter((one) => one.severity === 'error' && one.file === file);
  const shown = `${name}: ${JSON.stringify(diagnostics.slice(0, 3))}`;
  assert.ok(errors.length > 0, shown);
  if (hostile.line !== undefined) assert.equal(errors[0]?.line, hostile.line, shown);
  const { says } = hostile;
  if (says !== undefined)
    assert.ok(
      errors.some((one) => says.test(one.message)),
      shown,
    );
}

describe('hostile files are refused with file and line, quickly', () => {
  const tables = {
    '.czar/workers/hostile-1.md': {
      ...hostileWorkers,
      ...wrongTypes(Object.keys(workerSchema.shape)),
    },
    '.czar/config.yaml': hostileConfigs,
    '.czarina/config.json': hostileCzarina,
  };
  for (const [file, files] of Object.entries(tables)) {
    test(`${Object.keys(files).length} files as ${file}`, () => {
      for (const name of Object.keys(files)) refuses(files, file, name);
    });
  }
});

/** Where each file of the corpus belongs. */
function placeOf(name: string): string {
  if (name.endsWith('.json')) return '.czarina/config.json';
  return name.endsWith('.yaml') ? '.czar/config.yaml' : '.czar/workers/fuzzed.md';
}

const words: readonly string[] = [
  '---\n',
  'worker:\n',
  '&a ',
  '*a',
  '<<: ',
  '!!set ',
  '!x ',
  '__proto__: ',
  'constructor',
  '[[',
  '{',
  '}',
  '"',
  "'",
  '|\n',
  '>-\n',
  '? ',
  ': ',
  '- ',
  '#',
  '**',
  '`',
  '\t',
  '\r\n',
  '\u0000',
  '\u202e',
  '\u200b',
  '\ufeff',
  '\u2028',
  '\ud83d',
  '../',
  '.git/',
  '-x',
  '1e400',
  '.nan',
  '~',
  'all',
  'dependencies: [a]\n',
  'when: "a"\n',
];

/** One change of a text, at random. */
function mutate(text: string, pick: (below: number) => number, others: readonly string[]): string {
  const at = pick(text.length + 1);
  const end = Math.min(text.length, at + 1 + pick(40));
  const piece = text.slice(at, end);
  const word = words[pick(words.length)] ?? '';
  switch (pick(9)) {
    case 0:
      return text.slice(0, at) + word + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(end);
    case 2:
      return text.slice(0, end) + piece + text.slice(end);
    case 3:
      // Rows without end are what hasty patterns cannot bear.
      return (
        text.slice(0, end) + (piece || ' ').repeat(pick(2) === 0 ? 30 : 2_000) + text.slice(end)
      );
    case 4:
      return text.slice(0, at) + (text[at] ?? ' ').repeat(20_000) + text.slice(at);
    case 5:
      return text.slice(0, at) + (others[pick(others.length)] ?? '').slice(pick(200));
    case 6:
      return text.slice(0, at);
    case 7:
      return text.slice(0, at) + String.fromCharCode(pick(0x3000)) + text.slice(at + 1);
    default:
      return text.slice(0, at) + word.repeat(pick(300)) + text.slice(end);
  }
}

test('whatever becomes of a plan file, it is a plan or has errors with file and line', (t) => {
  const names = readdirSync(corpus).sort();
  const texts = names.map((name) => readFileSync(join(corpus, name), 'utf8'));
  const rounds = Number(process.env['CZAR_FUZZ'] ?? 150);
  const seed = Number(process.env['CZAR_FUZZ_SEED'] ?? 1);
  t.diagnostic(`${rounds} files from seed ${seed}`);
  const pick = random(seed);
  using folder = planFolder({});
  for (let round = 0; round < rounds; round += 1) {
    const chosen = pick(names.length);
    const name = names[chosen] ?? '';
    let text = texts[chosen] ?? '';
    // The corpus itself comes first, as it is.
    if (round < names.length) text = texts[round] ?? '';
    else
      for (let changes = 1 + pick(4); changes > 0; changes -= 1) text = mutate(text, pick, texts);
    const file = placeOf(round < names.length ? (names[round] ?? '') : name);
    rmSync(folder.root, { recursive: true });
    folder.write({ [file]: text.slice(0, 100_000) });
    if (!file.endsWith('.json')) folder.write({ '.czar/workers/b.md': harmless });
    if (!file.endsWith('.json')) folder.write({ '.czar/workers/c.md': harmless });
    const what = `round ${round} of seed ${seed}, ${name}: ${JSON.stringify(text.slice(0, 300))}`;
    try {
      load(folder, what);
    } catch (cause) {
      throw new Error(what, { cause });
    }
  }
});

/** Numbers from 0 below a bound, always the same for a seed (a linear congruential generator). */
function random(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
