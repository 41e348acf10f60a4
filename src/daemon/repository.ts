/** The door through which the command line sees the facts of the user's repository. */
export { inspectRepository, type RepositoryFacts } from '../git/repository.ts';
