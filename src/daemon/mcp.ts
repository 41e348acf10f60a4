/** The door through which the command line reaches the tools of a running agent. */
export { serveTools } from '../agents/mcp-server.ts';
