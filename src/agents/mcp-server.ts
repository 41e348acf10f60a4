/**
 * czar as a server of the Model Context Protocol on standard input and output, for the agent of one attempt: the one in
 * whose environment it is started. It lives as long as its input, and needs no loop.
 */
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { dirname } from 'node:path';
import * as z from 'zod';
import { askPermission, permissionsIn } from './ask-permission.ts';
import { answerText, requestOf } from './claude-permission.ts';
import { tools, type ToolResult } from './mcp-tools.ts';

export interface ServerOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  /** Whether it also answers what Claude Code asks its permission tool. */
  readonly permissions: boolean;
}

/** Serves until its input ends. */
export async function serveTools(options: ServerOptions): Promise<void> {
  const handle = serveStdio(() => made(options));
  await new Promise((ended) => process.stdin.once('close', ended).once('end', ended));
  await handle.close();
}

function made({ env, version, permissions }: ServerOptions): McpServer {
  const server = new McpServer({ name: 'czar', version });
  for (const { name, description, reads, input, call } of tools) {
    const annotations = { readOnlyHint: reads, destructiveHint: false, openWorldHint: false };
    server.registerTool(
      name,
      { description, inputSchema: input, annotations },
      async (given, ctx) => asContent(await call(given, { env, signal: ctx.mcpReq.signal })),
    );
  }
  if (permissions) addPermissionTool(server, env);
  return server;
}

/** The tool that Claude Code calls itself before anything that its flags do not settle. */
function addPermissionTool(server: McpServer, env: NodeJS.ProcessEnv): void {
  const attemptDir = dirname(env['CZAR_REPORT_FILE'] ?? '');
  // Read once, before the agent does anything.
  const told = permissionsIn(attemptDir);
  const inputSchema = z.object({
    tool_name: z.string(),
    input: z.record(z.string(), z.unknown()),
  });
  const description = 'For the program that runs you, which asks it by itself. Do not call it.';
  server.registerTool(
    'approve',
    { description, inputSchema },
    async ({ tool_name, input }, ctx) => {
      if (told === null) {
        const text = 'What this attempt may do cannot be read.';
        return asContent({ text: answerText({ decision: 'deny', text }, input), refused: false });
      }
      const { signal } = ctx.mcpReq;
      const options = { attemptDir, permissions: told, signal, tellsDenials: true };
      const answer = await askPermission(requestOf(tool_name, input), options);
      return asContent({ text: answerText(answer, input), refused: false });
    },
  );
}

function asContent({ text, refused }: ToolResult): {
  content: { type: 'text'; text: string }[];
  isError: boolean;
} {
  return { content: [{ type: 'text', text }], isError: refused };
}
