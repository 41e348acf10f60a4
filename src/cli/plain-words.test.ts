import assert from 'node:assert/strict';
import test from 'node:test';
import { CommanderError } from 'commander';
import fc from 'fast-check';
import { createProgram, define, given } from './commander.ts';
import { globalFlags, globalOptions } from './global-options.ts';
import { plainWords } from './plain-words.ts';
import { verb as events } from './verbs/events.ts';
import type { Given, GlobalOptions, PlainVerb } from './verb.ts';

const verb: PlainVerb = {
  words: [
    { name: 'worker', required: true, text: '' },
    { name: 'other', required: false, text: '' },
  ],
  options: events.options,
  act: async () => {},
};

/** Arguments as people and programs write them, right, odd and wrong. */
const words = fc.constantFrom(
  ...'v|w|x y||3|-1|-|--|-x|-f|-ff|--follow|--follow=1|--limit|--limit=3|--worker|--format'.split(
    '|',
  ),
  ...'line|classic|--formal|--lim|--run=r|--no-json|--color|-h|--help|--version'.split('|'),
  ...globalFlags.map(({ name }) => `--${name}`),
);

test('what is understood without commander, commander understands in the same way', async () => {
  let understood = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(words, { maxLength: 6 }), async (rest) => {
      for (const argv of [rest, ['v', 'w', ...rest], ['--json', 'v', ...rest]]) {
        const plain = plainWords(argv, { v: verb });
        if (plain?.kind !== 'plain') continue;
        understood += 1;
        const { given, options } = await parsed(argv);
        assert.deepEqual(plain.given, given, argv.join(' '));
        assert.deepEqual(globalOptions(plain.globals), options, argv.join(' '));
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(understood > 200, `${understood} understood`);
});

test('the usual ways to write a command are understood without commander', () => {
  const read = (line: string): unknown => {
    const found = plainWords(line.split(' '), { v: verb, events });
    return found?.kind === 'plain' ? found.given : null;
  };
  const line = {
    words: [],
    flags: new Set(),
    values: new Map([['format', 'line']]),
    lists: new Map(),
  };
  assert.deepEqual(read('events'), line);
  assert.deepEqual(read('events --json --run 20261121-1 --no-color'), line);
  assert.deepEqual(read('--repo /r events -f --limit 20 --format json'), {
    words: [],
    flags: new Set(['follow']),
    values: new Map([
      ['limit', '20'],
      ['format', 'json'],
    ]),
    lists: new Map(),
  });
  assert.deepEqual(read('v a b'), { ...line, words: ['a', 'b'] });
});

test('what is wrong or unusual is left to commander, as is every word behind a verb that reads it itself', () => {
  for (const line of [
    'v',
    'v a b c',
    'v a --help',
    'v a --limit',
    'v a --limit x',
    'v a --limit=3',
    'v a --format yaml',
    'v -- a',
    'nothing a',
    '--limit 3 events',
    '--json',
  ]) {
    assert.equal(plainWords(line.split(' '), { v: verb, events }), null, line);
  }
  const raw = { raw: async () => {} };
  const found = plainWords(['--json', 'say', 'a', '--help', '--'], { say: raw });
  assert.deepEqual(found?.kind === 'raw' && found.rest, ['a', '--help', '--']);
});

async function parsed(
  argv: readonly string[],
): Promise<{ readonly given: Given; readonly options: GlobalOptions }> {
  const read: { given: Given; options: GlobalOptions }[] = [];
  const program = createProgram({ exact: () => {} });
  const act = async (_: unknown, given: Given): Promise<void> => {
    read.push({ given, options: globalOptions(givenTo(program)) });
  };
  define({ ...verb, act }, { command: program.command('v'), context: {} as never });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    assert.fail(`commander refuses ${argv.join(' ')}: ${error.message}`);
  }
  const [first] = read;
  assert.ok(first !== undefined);
  return first;
}

function givenTo(program: ReturnType<typeof createProgram>): Given {
  return given(program, globalFlags);
}
