/**
 * The guardian: a shell of a few lines that starts a program again when it dies without goodbye, after a pause that
 * grows, and gives up when it dies too often. It lives on when its terminal is gone, and knows nothing else.
 *
 * Exit codes 0, 2, 3 and 4 are goodbyes (another try would come to the same); SIGTERM is passed on, and whatever the program then does is one.
 */
import { spawn } from 'node:child_process';

/** Seconds before each new start within ten minutes; one more death than there are pauses is the last. */
export const guardianPauses = [1, 2, 4, 8, 16] as const;

/** Deaths count together for so long, seconds. */
const windowSeconds = 600;

/**
 * `$1` the pauses, `$2` the file that says that it gave up (deaths, last exit code), `$3` the option with which the
 * program is started once more to tell of that, or nothing; the rest is the program. The option has what the file says
 * as its value, since a full disk does not take the file.
 */
export const guardianText = `trap '' HUP INT
stop= child=
trap 'stop=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM
pauses=$1 gave_up=$2 last_word=$3 times=
shift 3
while :; do
  "$@" &
  child=$!
  while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
  done
  child=
  case $code in 0 | 2 | 3 | 4) exit 0 ;; esac
  unset CZAR_AWAITS_BEGINNING
  [ -z "$stop" ] || exit 0
  now=$(date +%s) recent= deaths=0 pause=
  for time in $times $now; do
    [ $((now - time)) -ge ${windowSeconds} ] || { recent="$recent $time" deaths=$((deaths + 1)); }
  done
  times=$recent count=0
  for each in $pauses; do
    count=$((count + 1))
    [ $count -ne $deaths ] || pause=$each
  done
  if [ -z "$pause" ]; then
    printf '%s %s\\n' "$deaths" "$code" >"$gave_up"
    [ -z "$last_word" ] || exec "$@" "$last_word" "$deaths $code"
    exit 1
  fi
  printf 'czar: the daemon ended with %s; it is started again in %s s\\n' "$code" "$pause" >&2
  sleep "$pause" &
  wait $!
  [ -z "$stop" ] || exit 0
done
`;

/** Starts the program under a guardian, both apart from this process and its terminal. Gives the guardian's pid. */
export function startGuarded(options: {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** File descriptor that takes what both print. */
  readonly log: number;
  readonly gaveUpFile: string;
  /** Option with which the program is started once more, when it is given up: its value is deaths and exit code. */
  readonly lastWord?: string;
  readonly pauses?: readonly number[];
}): number | null {
  const { command, cwd, env, log, gaveUpFile, lastWord = '', pauses = guardianPauses } = options;
  const child = spawn(
    '/bin/sh',
    ['-c', guardianText, 'czar-guardian', pauses.join(' '), gaveUpFile, lastWord, ...command],
    { cwd, env, detached: true, stdio: ['ignore', log, log] },
  );
  // What could not be started is seen by nobody listening.
  child.on('error', () => {});
  child.unref();
  return child.pid ?? null;
}
