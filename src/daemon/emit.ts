/** The door through which the command line reaches what a running agent says. */
export { emit } from '../agents/emit.ts';
