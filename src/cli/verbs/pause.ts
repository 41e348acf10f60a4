/** `czar pause`: a worker, or with no worker the whole run, starts nothing; what runs is stopped, its work kept. */
import { steer } from '../steering.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('[worker]', 'worker to hold; without it the whole run')
      .action(async (worker: string | undefined) => {
        await steer(
          context,
          (run) => ({ kind: 'pause', run, worker: worker ?? null }),
          worker === undefined
            ? {
                led: 'The run is paused: nothing starts, what runs is stopped, its work kept. czar resume lets it go on.',
                stopped:
                  'The run is paused: nothing starts, what ran is stopped, its work kept. czar resume lets it go on.',
                recorded: 'The run is paused and nothing of it starts, but what runs goes on',
              }
            : {
                led: `${worker} is being paused; its work is kept. czar resume ${worker} lets it go on.`,
                stopped: `${worker} is paused; its work is kept. czar resume ${worker} lets it go on.`,
                recorded: `It is recorded that ${worker} is to be paused`,
              },
        );
      });
  },
};
