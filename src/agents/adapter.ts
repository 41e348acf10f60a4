/**
 * What an adapter is: how an agent is started, which of its lines mean something, what its end means, and how its
 * session is taken up again. Adapters are pure; whatever reaches a process or a disk happens elsewhere.
 */
import type { AttemptEnd, Judgement, Report } from '../core/events.ts';
import type { InstructionFile } from '../core/instruction-files.ts';
import type { AgentDefinition, AttemptLimits, Permissions } from '../core/plan.ts';
import type { AttemptEnvironment, AttemptPlaces } from './environment.ts';

/** What an agent of this adapter can do. */
export interface Capabilities {
  /** What its figures of usage are: of the whole attempt, of each turn as it comes, both, or none. */
  readonly usage: 'total' | 'turns' | 'turns and total' | 'none';
  /** Whether it tells what it costs. */
  readonly cost: boolean;
  /** Whether a session that has ended can be taken up again. */
  readonly resume: boolean;
  /** How its permissions are settled: it asks while it works, flags say it before, or nobody does. */
  readonly permissions: 'ask' | 'flags' | 'none';
  /** How it gets servers of the Model Context Protocol. */
  readonly mcp: 'flag' | 'session' | 'none';
}

/** How a program is asked whether it is logged in, which costs nothing. */
export interface LoginQuestion {
  readonly args: readonly string[];
  /** What its answer means; null when that is not known. `env` is what it was started with. */
  readonly answer: (said: {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
    readonly env: NodeJS.ProcessEnv;
  }) => boolean | null;
}

export interface StartOptions extends AttemptPlaces {
  readonly definition: AgentDefinition;
  /** The whole prompt. */
  readonly prompt: string;
  /** What it is to keep in mind whatever it forgets of its prompt; null for nothing. */
  readonly standing: string | null;
  /** Session that goes on with `prompt` as its next message; null for a new one. */
  readonly session: string | null;
  /** Null for what the agent is set up with. */
  readonly model: string | null;
  readonly permissions: Permissions;
  /** Folder of git's data, absolute; null without a repository. */
  readonly gitDir: string | null;
  /** Root of the user's repository, absolute. */
  readonly repository: string;
  readonly baseEnv: NodeJS.ProcessEnv;
}

/** Program, arguments and environment of an attempt. */
export type Start = { readonly argv: readonly string[] } & AttemptEnvironment;

/** What a line says: a report, or a refusal of one that cannot be right. */
export type Said = Report | { readonly refused: string };

/** What is known when the processes of an attempt are gone. */
export interface Ending {
  readonly end: AttemptEnd;
  /** The last lines that it wrote, newest last: its errors, or its output when there are none. */
  readonly lastWords: readonly string[];
  /** The last lines of its output as they came, newest last; none when it prints text. */
  readonly output: readonly string[];
  /** What it might use of the machine. */
  readonly limits: AttemptLimits;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Adapter {
  readonly capabilities: Capabilities;
  /** Arguments that make it say its version; null where a program could take them for work. */
  readonly version: readonly string[] | null;
  /** Null where nothing can be asked without spending. */
  readonly login: LoginQuestion | null;
  /** The file of instructions that it reads by itself at the top of its tree; null where it reads none. */
  readonly instructions: InstructionFile | null;
  /** What its standard output is made of. */
  readonly prints: 'text' | 'json';
  /** Whether its program ends what it started when it is told to end: then it is told before the rest is. */
  readonly endsItsOwn?: true;
  readonly start: (options: StartOptions) => Start;
  /** What a line of standard output says; empty for a line of log. */
  readonly read: (line: string) => readonly Said[];
  /** What a person reads of a line of standard output; empty for what only programs need. */
  readonly show: (line: string) => readonly string[];
  readonly judge: (ending: Ending) => Judgement;
}
