/** Agents that print without end, and what nobody should send to a terminal. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

/** The largest memory that the loop has had so far, kB: the agent's parent is its shim, and the shim's is the loop. */
const memory = `awk '/^VmHWM/ {print $2}' "/proc/$(awk '/^PPid/ {print $2}' /proc/$PPID/status)/status" >> "$HOME/memory"`;

const script = `${memory}
yes 'a line like any other that an agent prints while it works' | head -c 600000000
head -c 300000000 /dev/zero
head -c 100000000 /dev/urandom
yes 'errors too' | head -c 100000000 >&2
echo out > out
printf '\\033]0;owned\\007\\033[2J\\033[31mred\\033]52;c;aGk=\\007 words\\n'
printf '\\033[1000000000b\\n'
echo 'the very last line'
${memory}
`;

test(
  'fault 40: a gigabyte of lines, zeros and noise: files and memory stay bounded, the agent ends well, its end is shown',
  { skip: process.platform !== 'linux' && 'it reads /proc' },
  async () => {
    await using scratch = await Scratch.make();
    scratch.scripted(script);
    scratch.worker('a', 'verify: test -f out');
    scratch.commitAll();
    const { code, stderr, stdout } = await scratch.czar('run');
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /\x1b\](?:0|52)/);
    const runs = join(scratch.repo, '.czar/runs');
    const [run = ''] = readdirSync(runs).filter((name) => /^\d/.test(name));
    const dir = join(runs, run, 'a/1');
    for (const name of readdirSync(dir)) {
      const { size } = statSync(join(dir, name));
      assert.ok(size < 80_000_000, `${name} has ${size} bytes`);
    }
    const [before = 0, after = 0] = readFileSync(join(scratch.base, 'home/memory'), 'utf8')
      .trim()
      .split('\n')
      .map(Number);
    assert.ok(after - before < 60_000, `the loop grew from ${before} to ${after} kB`);
    const shown = await scratch.czar('logs', 'a');
    assert.equal(shown.code, 0, shown.stderr);
    assert.ok(shown.stdout.length < 8_000_000, `${shown.stdout.length} characters are shown`);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(shown.stdout, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    assert.match(shown.stdout, /red words\n/);
    assert.match(shown.stdout, /the very last line\n/);
    assert.match(shown.stdout, /^\[.*\d{7,} bytes of this output/m);
  },
);
