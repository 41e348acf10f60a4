/** The door through which the command line reaches what a running agent says. */
export { emit, waitForAnswer } from '../agents/emit.ts';
