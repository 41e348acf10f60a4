/** The floor of latency: `node bare-chain.ts COUNT FILE` runs `date` COUNT times, each at the exit of the one before. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

const [count = '', file = ''] = process.argv.slice(2);

function next(left: number): void {
  if (left === 0) return;
  const output = openSync(file, 'a');
  spawn('date', ['+%s%N'], { stdio: ['ignore', output, 'ignore'] }).once('exit', () =>
    next(left - 1),
  );
  closeSync(output);
}

next(Number(count));
