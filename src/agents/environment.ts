/**
 * The environment of an attempt: an allow-list of the user's variables, what the agent's definition names, and czar's
 * own. Pure.
 *
 * Left out on purpose: every GIT_* (it would tie git to another repository), SSH_AUTH_SOCK (agents never push; a
 * definition may name it), and whatever else could be a secret of another program.
 */
import { createHash } from 'node:crypto';
import { delimiter, dirname } from 'node:path';

export interface AttemptPlaces {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
  /** Absolute paths. */
  readonly worktree: string;
  readonly attemptDir: string;
  readonly promptFile: string;
  readonly reportFile: string;
  readonly shellFile: string;
  readonly binDir: string;
  readonly tmpDir: string;
  /** First of its ports. */
  readonly port: number;
}

const allowed: ReadonlySet<string> = new Set([
  'HOME',
  'PATH',
  'USER',
  'LOGNAME',
  'SHELL',
  'TZ',
  'LANG',
  'LANGUAGE',
  // Where logins and caches live.
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_DIRS',
  'XDG_DATA_DIRS',
  // The way to the network, and whom to trust there.
  'http_proxy',
  'https_proxy',
  'ftp_proxy',
  'all_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'FTP_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  // Where tool chains are installed.
  'NVM_DIR',
  'VOLTA_HOME',
  'PNPM_HOME',
  'BUN_INSTALL',
  'CARGO_HOME',
  'RUSTUP_HOME',
  'GOPATH',
  'GOROOT',
  'JAVA_HOME',
  'PYENV_ROOT',
  'RBENV_ROOT',
  'ASDF_DIR',
  'ASDF_DATA_DIR',
]);

/** What an attempt shares with others of the same agent, and what is its own, which wins and holds no secret. */
export interface AttemptEnvironment {
  readonly env: NodeJS.ProcessEnv;
  readonly own: Readonly<Record<string, string>>;
}

/** The environment of one attempt. `names` are the variables that the agent's definition asks for besides. */
export function attemptEnvironment(options: {
  readonly baseEnv: NodeJS.ProcessEnv;
  readonly names: readonly string[];
  readonly places: AttemptPlaces;
}): AttemptEnvironment {
  const { baseEnv, names, places } = options;
  const path = baseEnv['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  return {
    env: sharedEnvironment(baseEnv, names),
    own: {
      PATH: `${places.binDir}${delimiter}${path}`,
      PWD: places.worktree,
      TMPDIR: places.tmpDir,
      GIT_CEILING_DIRECTORIES: dirname(places.worktree),
      CZAR_RUN: places.run,
      CZAR_WORKER: places.worker,
      CZAR_ATTEMPT: String(places.attempt),
      CZAR_PROMPT_FILE: places.promptFile,
      CZAR_REPORT_FILE: places.reportFile,
      CZAR_SHELL: places.shellFile,
      CZAR_PORT: String(places.port),
      CZAR_PORT_BASE: String(places.port),
    },
  };
}

/** What all attempts of an agent find, and its program when it is asked something. */
export function sharedEnvironment(
  baseEnv: NodeJS.ProcessEnv,
  names: readonly string[],
): NodeJS.ProcessEnv {
  const inherited = Object.entries(baseEnv).filter(
    ([name]) => allowed.has(name) || name.startsWith('LC_') || names.includes(name),
  );
  // There is no terminal, whatever the user sits at.
  return { ...Object.fromEntries(inherited), TERM: 'dumb', GIT_TERMINAL_PROMPT: '0' };
}

/** The block of ports that an attempt is given unless it is taken: others for other runs and workers. */
export function preferredPorts(attemptDir: string, position: number): number {
  const runFolder = dirname(dirname(attemptDir));
  return createHash('sha256').update(runFolder).digest().readUInt32BE(0) + position;
}
