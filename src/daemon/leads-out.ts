/** The door through which the command line asks whether a folder is a link that leads out of the one around it. */
export { leadsOut } from '../process/generated-folder.ts';
