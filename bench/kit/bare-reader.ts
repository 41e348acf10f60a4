/** The floor of live attempts: `node bare-reader.ts COUNT SCRIPT` starts bash with the script so often and takes its lines apart. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const [count = '', script = ''] = process.argv.slice(2);
let bytes = 0;
const children = Array.from({ length: Number(count) }, () => {
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  createInterface({ input: child.stdout }).on('line', (line) => {
    bytes += line.length;
  });
  return child;
});
// Ends with its input, and its children with it.
process.stdin.on('end', () => {
  for (const child of children) child.kill('SIGKILL');
  console.log(bytes);
  process.exit(0);
});
process.stdin.resume();
