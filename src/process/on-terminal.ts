/**
 * Runs a program for the person at this terminal, and waits until it ends. It has the terminal: what is typed there,
 * Ctrl-C included, is its own. Who tells this process to end tells the program, too.
 */
import { spawn } from 'node:child_process';

/** How it ended, or why it could not be started, in a sentence. */
export type OnTerminal =
  | {
      readonly code: number | null;
      /** Whether this process was told to end meanwhile. */
      readonly told: boolean;
    }
  | { readonly problem: string };

/** Runs it in the folder, with exactly this environment; `stdout` is where its output goes. */
export async function runOnTerminal(options: {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: 1 | 2;
}): Promise<OnTerminal> {
  const { argv, cwd, env, stdout } = options;
  const [program, ...args] = argv;
  const child = spawn(program, args, { cwd, env, stdio: [0, stdout, 2] });
  let told = false;
  const ignore = (): void => {};
  const pass = (signal: NodeJS.Signals): void => {
    told = true;
    child.kill(signal);
  };
  for (const signal of typed) process.on(signal, ignore);
  for (const signal of ending) process.on(signal, pass);
  try {
    return await new Promise<OnTerminal>((resolve) => {
      child.once('error', (error) => resolve({ problem: error.message }));
      child.once('exit', (code) => resolve({ code, told }));
    });
  } finally {
    for (const signal of typed) process.off(signal, ignore);
    for (const signal of ending) process.off(signal, pass);
  }
}

/** The terminal sends these to the program as well. */
const typed = ['SIGINT', 'SIGQUIT'] as const;
const ending = ['SIGTERM', 'SIGHUP'] as const;
