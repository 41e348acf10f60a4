/** What czar asks of a forge, and what it hears: the same for each of them. */
import type { PullOrder, PullRemark } from '../../core/events.ts';

export interface Pull {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'merged' | 'closed';
}

/** The text of one. */
export interface PullText {
  readonly title: string;
  readonly body: string;
}

/** What can be done with pull requests; each throws a `ForgeError` when the program does not do it. */
export interface Forge {
  readonly program: 'gh' | 'glab';
  /** The open one of the branch into the target; null when there is none. */
  find(order: PullOrder): Promise<Pull | null>;
  open(order: PullOrder, text: PullText): Promise<Pull>;
  update(number: number, text: PullText): Promise<Pull>;
  look(number: number): Promise<Pull>;
  /** What was said of it as it stands there now. */
  heard(number: number): Promise<Heard>;
}

/** What was said of a pull request, by checks and by people who may write to its repository. */
export interface Heard {
  /** Commit of its branch, to which the checks belong. */
  readonly head: string;
  readonly remarks: readonly Remark[];
  /** Names of checks that have not ended. */
  readonly pending: readonly string[];
  /** Comments by people who may not write there: nobody passes them on. */
  readonly passedOver: number;
  /** Why some comments wait: whether their authors may write there could not be told. A sentence each. */
  readonly untold: readonly string[];
}

export interface Remark extends PullRemark {
  readonly text: string;
}
