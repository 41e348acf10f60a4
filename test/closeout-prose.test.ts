import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeoutSchema } from '../src/report/closeout-schema.ts';
import { Scratch } from './support/scratch.ts';

/** Works, and as a writer answers with the key of its prompt. */
const agent = `
if ! grep -q 'Closing report of run' "$CZAR_PROMPT_FILE"; then echo a > a.txt; exit; fi
grep -q '"worker": "a"' report.json || exit 3
[ "$(git rev-parse --show-toplevel)" = "$PWD" ] || exit 4
key=$(sed -n 's/.*"closeout":"\\([^"]*\\)".*/\\1/p' "$CZAR_PROMPT_FILE")
echo '{"type":"usage","input_tokens":30,"output_tokens":3}'
printf '{"closeout":"%s","text":"It went well.\\\\n\\\\nNothing is <open>."}\\n' "$key"
`;

test('closeout --agent adds what an agent wrote, marked as such in every format; nothing else changes', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(agent);
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const log = scratch.log().length;
  const plain = closeoutSchema.parse(await scratch.json('closeout'));
  assert.equal(plain.prose, null);

  const unasked = await scratch.czar('closeout', '--agent', 'script');
  assert.equal(unasked.code, 4, 'it spends, so a person says yes');
  assert.match(unasked.stderr, /czar closeout --agent script --yes/);
  assert.equal((await scratch.czar('closeout', '--agent', 'scripd', '--yes')).code, 3);

  const told = await scratch.czar('closeout', '--agent', 'script', '--yes', '--json');
  assert.equal(told.code, 0, told.stderr);
  const { prose, ...rest } = closeoutSchema.parse(JSON.parse(told.stdout));
  assert.deepEqual(prose, {
    agent: 'script',
    text: 'It went well.\n\nNothing is <open>.',
    usage: { input: 30, output: 3, cached: 0, cost_usd: 0 },
  });
  const { prose: none, ...before } = plain;
  assert.deepEqual({ ...rest, at: '' }, { ...before, at: '' });
  assert.equal(none, null);

  const page = await scratch.czar('closeout', '--agent', 'script', '--yes', '--format', 'md');
  assert.match(page.stdout, /## In the words of script\n\nWritten by an agent, with 33 tokens/);
  assert.match(page.stdout, /\n\nIt went well\.\n\n/);
  const html = await scratch.czar('closeout', '--agent', 'script', '--yes', '--format', 'html');
  assert.match(html.stdout, /In the words of script/);
  assert.doesNotMatch(html.stdout, /<open>/);
  assert.equal(scratch.log().length, log, 'the log is what it was');
});

test('an agent that writes nothing makes no report, and says why', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('grep -q "Closing report" "$CZAR_PROMPT_FILE" || echo a > a.txt\n');
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const { code, stdout, stderr } = await scratch.czar('closeout', '--agent', 'script', '--yes');
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /script wrote nothing: it ended without the text that it was asked for/);
  assert.match(stderr, /czar closeout is the report without it/);
});
