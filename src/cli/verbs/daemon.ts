/** `czar daemon`: the loop in the background, under a guardian: start, stop, restart, status, logs. */
import { Option } from 'commander';
import type { Verb } from '../verb.ts';
import { logs } from './daemon-logs.ts';
import { start, type StartOptions } from './daemon-start.ts';
import { status } from './daemon-status.ts';
import { restart, stop, type StopOptions } from './daemon-stop.ts';
import { defineBeginning } from '../wanted.ts';

export const verb: Verb = {
  define(command, context) {
    defineBeginning(
      command
        .command('start')
        .summary('go on with the live run, or start one, in the background')
        .description(
          'Goes on with the live run, or starts one, in the background. With a daemon there already, that one is asked.',
        ),
    )
      .option('--foreground', 'stay in this terminal; Ctrl-C ends it, agents run on')
      .option('--exit-when-waiting', 'end when every run waits for a person')
      .option('--verbose', 'also log what changes no state')
      .addOption(new Option('--guarded').hideHelp())
      .addOption(new Option('--gave-up [deaths]').hideHelp())
      .action(async (scope: string[], options: StartOptions) => start(context, scope, options));
    command
      .command('stop')
      .summary('end the daemon; its agents run on')
      .option(
        '--agents <what>',
        'what becomes of live agents: run-on, finish (wait for them) or stop (their work is kept)',
        'run-on',
      )
      .action(async (options: StopOptions) => stop(context, options));
    command
      .command('restart')
      .summary('end the daemon and start it again; no agent is stopped')
      .action(async () => restart(context));
    command
      .command('status')
      .summary('whether a daemon lives, since when, and what it does')
      .action(async () => status(context));
    command
      .command('logs')
      .summary('what the daemon wrote')
      .option('-f, --follow', 'go on as it grows')
      .option('-n, --lines <count>', 'only the last so many lines', '100')
      .action(async (options: { follow?: boolean; lines: string }) => logs(context, options));
  },
};
