/**
 * Named places at which a test may kill this process: `CZAR_CRASH_AT=name` or `name#n` for the n-th time. Without the
 * variable every place is passed without a thought.
 */

/** The function that announces a place; undefined when no crash is wanted. */
export function crashPoint(env: NodeJS.ProcessEnv): ((name: string) => void) | undefined {
  const wanted = env['CZAR_CRASH_AT'];
  if (wanted === undefined || wanted === '') return undefined;
  const [at, count = '1'] = wanted.split('#');
  let left = Number(count);
  return (name) => {
    if (name !== at) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
