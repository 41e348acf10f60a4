/**
 * The surroundings of a check: where its tree stands and which variables it sees. A check must give the same answer
 * wherever czar was started: from an attempt, a git hook, an npm script or another check.
 */
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** Variables that would point tools at something outside the check tree. */
const strange = [
  /^CZAR_/,
  /^NODE_PATH$/,
  /^NODE_TEST_CONTEXT$/,
  /^INIT_CWD$/,
  /^npm_(lifecycle|package|command|execpath|node_execpath)/,
  /^npm_config_(local_)?prefix$/i,
  /^(VIRTUAL_ENV|PYTHONPATH|PYTHONHOME|OLDPWD)$/,
  // What ties git to one repository; the user's other git variables stay.
  /^GIT_(DIR|WORK_TREE|COMMON_DIR|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|PREFIX)$/,
  /^GIT_(CONFIG|CONFIG_PARAMETERS|CONFIG_COUNT|CONFIG_KEY_\d+|CONFIG_VALUE_\d+|SHALLOW_FILE|GRAFT_FILE|QUARANTINE_PATH)$/,
  /^GIT_(REPLACE_REF_BASE|NO_REPLACE_OBJECTS|INTERNAL_SUPER_PREFIX|IMPLICIT_WORK_TREE|CEILING_DIRECTORIES)$/,
];

/** Folder that holds all check trees: in the user's cache, so that nothing above leaks into them. */
export function checkRoot(env: NodeJS.ProcessEnv): string {
  const cache = env['XDG_CACHE_HOME'];
  // The XDG specification: a relative value counts as unset.
  const root =
    cache !== undefined && isAbsolute(cache) ? cache : join(env['HOME'] ?? homedir(), '.cache');
  return join(root, 'czar', 'checks');
}

/** Environment of setup and check commands: the caller's, without what points elsewhere, with a TMPDIR of its own. */
export function checkEnvironment(
  env: NodeJS.ProcessEnv,
  { tree, tmp }: { readonly tree: string; readonly tmp: string },
): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !strange.some((pattern) => pattern.test(name)),
  );
  return {
    ...Object.fromEntries(kept),
    PWD: tree,
    TMPDIR: tmp,
    GIT_CEILING_DIRECTORIES: dirname(tree),
    GIT_TERMINAL_PROMPT: '0',
  };
}
