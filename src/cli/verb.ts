/**
 * What a verb is to the command line, and what the command line gives it.
 *
 * A verb's file exports `const verb: Verb`, or one of its kinds. Its actions print through `context.out` only, end with `context.exit(code)`
 * or `context.fail(failure)` (none of which throws: return afterwards), and may read `context.options` once they run.
 */
import type { Command } from 'commander';
import type { ExitCode, Failure } from './exit.ts';
import type { Printer } from './render.ts';

/** The options that every verb understands. */
export interface GlobalOptions {
  /** One JSON document (or one object a line) on stdout, nothing else there. */
  readonly json: boolean;
  /** Run id; null means the only live run. */
  readonly run: string | null;
  /** Folder in the repository to act on, as typed; null means the current one. */
  readonly repo: string | null;
  /** Home folder instead of `.czar`, as typed. */
  readonly czarDir: string | null;
  /** Name of the `env/NAME.yaml` that counts; null when CZAR_ENV decides. */
  readonly env: string | null;
  /** `key=value` of the configuration, in order. */
  readonly set: readonly string[];
  readonly quiet: boolean;
  /** Answer yes to every question. */
  readonly yes: boolean;
  /** Show stack traces. */
  readonly debug: boolean;
}

export interface CliContext {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly options: GlobalOptions;
  readonly out: Printer;
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean;
  /** Whether a person can be asked: stdin and stderr are terminals, and stdout is not JSON. */
  readonly canAsk: boolean;
  /** Asks a person a question of yes or no, where one can be asked. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Asks a person for one of the words, where one can be asked; null for none of them. */
  readonly choose: (question: string, words: readonly string[]) => Promise<string | null>;
  /** Width of the terminal in cells; 80 when unknown. */
  readonly columns: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Aborted when whoever reads stdout is gone (`czar events | head`): streams end then. */
  readonly closed: AbortSignal;
  /** Sets the exit code (0 unless set). */
  readonly exit: (code: ExitCode) => void;
  /** Prints why the verb could not act, and sets its exit code. */
  readonly fail: (failure: Failure) => void;
}

/** A verb that commander parses: `define` adds arguments, options, sub-verbs and the action. */
export interface ParsedVerb {
  readonly define: (command: Command, context: CliContext) => void;
}

/** A verb that reads its arguments itself (everything behind its name, global options included). */
export interface RawVerb {
  readonly raw: (argv: readonly string[], context: CliContext) => Promise<void>;
}

/** A word behind a verb. */
export interface Word {
  readonly name: string;
  readonly required: boolean;
  readonly text: string;
}

/** An option: with `value` (what it is called in help) it takes one, else it is there or not. */
export interface Flag {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  readonly value?: string;
  readonly text: string;
  /** The only values that are taken. */
  readonly choices?: readonly string[];
  /** The value when the option is left out. */
  readonly fallback?: string;
  /** May be given more than once; the values are in `Given.lists`. */
  readonly many?: true;
  /** What is wrong with a value, in a sentence; null when nothing is. */
  readonly wrong?: (value: string) => string | null;
}

/** What was typed, by the long names of flags. */
export interface Given {
  readonly words: readonly string[];
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  /** Values of options that may be given more than once. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/** A verb whose syntax is data, so that what is usually typed needs no parser (`plain-words.ts`). */
export interface PlainVerb {
  readonly words: readonly Word[];
  readonly options: readonly Flag[];
  readonly act: (context: CliContext, given: Given) => Promise<void>;
}

export type Verb = ParsedVerb | RawVerb | PlainVerb;
