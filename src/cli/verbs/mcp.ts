/**
 * `czar mcp`: the tools of a running agent, as a server of the Model Context Protocol on standard input and output. An
 * agent's program starts it; outside an attempt it is refused, as `czar emit` is.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { packageVersion } from '../../daemon/version.ts';
import { exits } from '../exit.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .option('--permissions', 'also the tool that Claude Code asks for permissions')
      .action(async ({ permissions = false }: { readonly permissions?: boolean }) => {
        const { env } = context;
        const report = env['CZAR_REPORT_FILE'] ?? '';
        if (report === '' || !existsSync(dirname(report))) {
          return context.fail({
            exit: exits.refused,
            what:
              report === ''
                ? 'this is not an attempt: CZAR_REPORT_FILE is not set'
                : `the attempt is gone: there is no ${dirname(report)}`,
            next: 'an agent that czar started is given these tools by itself',
          });
        }
        const { serveTools } = await import('../../daemon/mcp.ts');
        await serveTools({ env, version: packageVersion(), permissions });
      });
  },
};
