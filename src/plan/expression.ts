/**
 * `when`: expressions in the Common Expression Language over the run and the dependencies of a worker. They are checked
 * when the plan is loaded and evaluated once, when the last edge is satisfied. Nothing in them can act or loop.
 */
import { Environment, type ASTNode } from '@marcbachmann/cel-js';

/** What an expression may look at. */
export interface WhenContext {
  readonly run: { readonly id: string; readonly base: string };
  /** By id; an expression sees the dependencies of its worker only. */
  readonly workers: Readonly<
    Record<
      string,
      { readonly state: string; readonly no_change: boolean; readonly attempts: number }
    >
  >;
}

const environment = new Environment({
  limits: { maxAstNodes: 500, maxDepth: 40, maxListElements: 100, maxMapEntries: 100 },
})
  .registerVariable('run', 'map<string, string>')
  .registerVariable('workers', 'map<string, dyn>');

/** Why an expression cannot be used, in a sentence, or null. `dependencies` are the ids that it may name. */
export function checkWhen(text: string, dependencies: readonly string[]): string | null {
  if (text.length > 2000) return 'the expression is longer than 2000 characters';
  let ast: ASTNode;
  try {
    const parsed = environment.parse(text);
    const checked = parsed.check();
    if (!checked.valid) return sentence(checked.error);
    if (checked.type !== 'bool' && checked.type !== 'dyn') {
      return `the expression gives ${checked.type ?? 'no value'}, not true or false`;
    }
    ast = parsed.ast;
  } catch (error) {
    return sentence(error);
  }
  const costly = costProblem(ast);
  if (costly !== null) return costly;
  for (const { id, field } of workersNamed(ast)) {
    if (!dependencies.includes(id)) return `"${id}" is not a dependency of this worker`;
    if (field !== null && !['state', 'no_change', 'attempts'].includes(field)) {
      return `a worker has state, no_change and attempts, not "${field}"`;
    }
  }
  return null;
}

/** Whether the expression holds, or why it could not be evaluated. */
export function evaluateWhen(
  text: string,
  context: WhenContext,
): boolean | { readonly error: string } {
  const workers = Object.fromEntries(
    Object.entries(context.workers).map(([id, facts]) => [
      id,
      { ...facts, attempts: BigInt(facts.attempts) },
    ]),
  );
  try {
    const result: unknown = environment.evaluate(text, { run: { ...context.run }, workers });
    if (typeof result === 'boolean') return result;
    return { error: `the expression gave ${typeof result}, not true or false` };
  } catch (error) {
    return { error: sentence(error) };
  }
}

/** Functions that look at each element of a list, or name a value: one in another multiplies. */
const multiplying: ReadonlySet<string> = new Set([
  'all',
  'exists',
  'exists_one',
  'filter',
  'map',
  'bind',
]);

/** Why evaluating an expression could take long, or null. */
function costProblem(root: ASTNode): string | null {
  const queue: { node: ASTNode; inside: boolean }[] = [{ node: root, inside: false }];
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    const { node, inside } = one;
    if (node.op === 'rcall') {
      const [name, on, given] = node.args;
      if (multiplying.has(name)) {
        if (inside) return `${name} within another such function would take too long`;
        queue.push({ node: on, inside }, ...given.map((each) => ({ node: each, inside: true })));
        continue;
      }
      const problem = name === 'matches' ? regexProblem(given[0]) : null;
      if (problem !== null) return problem;
    }
    queue.push(...children(node.args).map((each) => ({ node: each, inside })));
  }
  return null;
}

/** Why a pattern of `matches` is refused, or null: what repeats within repetitions may never end. */
function regexProblem(pattern: ASTNode | undefined): string | null {
  const text: unknown = pattern?.op === 'value' ? pattern.args : null;
  if (typeof text !== 'string') return 'matches needs a pattern that is written out';
  const repeats = text.match(/[*+{]/g)?.length ?? 0;
  if (text.length > 200 || repeats > 2 || /\)[*+?{]|\(\?|\\[1-9k]/.test(text))
    return 'the pattern of matches is too involved: at most two repetitions, and none of a group';
  try {
    RegExp(text);
    return null;
  } catch {
    return 'the pattern of matches is no regular expression';
  }
}

/** The workers that an expression names as `workers.x` or `workers["x"]`, with the field asked of each. */
function workersNamed(
  root: ASTNode,
): readonly { readonly id: string; readonly field: string | null }[] {
  const found: { id: string; field: string | null }[] = [];
  const queue: { node: ASTNode; field: string | null }[] = [{ node: root, field: null }];
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    const { node, field } = one;
    const id = memberOf(node);
    if (id !== null) found.push({ id, field });
    if (node.op === '.') queue.push({ node: node.args[0], field: node.args[1] });
    else for (const child of children(node.args)) queue.push({ node: child, field: null });
  }
  return found;
}

function memberOf(node: ASTNode): string | null {
  if (node.op === '.') {
    const [object, name] = node.args;
    return object.op === 'id' && object.args === 'workers' ? name : null;
  }
  if (node.op === '[]') {
    const [object, index] = node.args;
    const named = object.op === 'id' && object.args === 'workers' && index.op === 'value';
    return named && typeof index.args === 'string' ? index.args : null;
  }
  return null;
}

function children(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap((one: unknown) => children(one));
  return isNode(args) ? [args] : [];
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

/** The first line of an error: the rest is a drawing of the expression. */
function sentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const first = (message.split('\n')[0] ?? '').trim();
  return first === '' ? 'the expression cannot be understood' : first;
}
