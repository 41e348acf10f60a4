/**
 * The two programs that stand beside an agent and outlive the loop, as constants: no upgrade of the package can change
 * them under a running attempt. Both are POSIX sh and need nothing but `sleep`, and `grep` or `ps`.
 *
 * Invariants: creating `status` exclusively is the claim, so an attempt starts at most once, whoever dies when. The
 * agent's pid is on record before the agent exists. A record counts only as a whole line ending in ` .`, so one that a
 * full disk tore is none, and the first record already owns the block that the exit record goes to. Names begin with
 * `czar_` because assigning to a name that the agent's environment holds would change it for the agent.
 */

/** What the shim writes before a program that the shell could not start, on the attempt's `errors`. */
export const shimName = 'czar-exec';

/** Exit codes of the shim itself: someone else holds the claim; the records cannot be written. */
export const shimExit = { claimed: 73, unwritable: 74 } as const;

/** Sets czar_pid and czar_start of the shell or subshell that calls it (where `$$` is still the parent's). */
const self = `
czar_self() {
  if read -r czar_line </proc/self/stat; then
    czar_pid=\${czar_line%% *}
    set -- \${czar_line##*) }
    czar_start=\${20}
  else
    czar_pid=$(exec /bin/sh -c 'echo $PPID')
    set -- $(LC_ALL=C TZ=UTC0 PATH=$PATH:/usr/bin:/bin ps -o lstart= -p "$czar_pid")
    czar_start=$*
  fi
} 2>/dev/null
`;

/** Arguments: folder, watchdog text, tick, limit, unattended, step, grace (see `watchdog`), then the program. */
const shim = `
czar_dir=$1 czar_dog=$2 czar_tick=$3 czar_limit=$4 czar_alone=$5 czar_step=$6 czar_grace=$7
shift 7
trap : HUP INT QUIT TERM
${self}
set -C
{ command exec 3>"$czar_dir/status"; } 2>/dev/null || exit ${shimExit.claimed}
set +C
# A shell reports on its children as it likes; only the agent writes to the attempt's errors.
exec 4>&2 2>/dev/null
czar_self
echo "shim $czar_pid $czar_start ." >&3 || exit ${shimExit.unwritable}
czar_mark=CZAR_ATTEMPT_KEY=$CZAR_ATTEMPT_KEY
# What is ignored here stays ignored in the watchdog: an agent may signal its whole group at once.
trap '' HUP INT QUIT TERM
(
  unset CZAR_ATTEMPT_KEY
  exec /bin/sh -c "$czar_dog" czar-watchdog "$czar_dir" "$czar_mark" "$czar_pid" "$czar_start" \\
    "$czar_tick" "$czar_limit" "$czar_alone" "$czar_step" "$czar_grace" 3>&- 4>&- >/dev/null
) &
czar_dog=$!
trap : HUP INT QUIT TERM
(
  czar_self
  echo "agent $czar_pid $czar_start ." >&3 || exit ${shimExit.unwritable}
  exec 2>&4 4>&-
  exec "$@" 3>&-
)
czar_code=$? czar_try=0
until printf '\\nexit %s .\\n' "$czar_code" >&3; do
  czar_try=$((czar_try + 1))
  [ $czar_try -lt 3600 ] || break
  PATH=$PATH:/usr/bin:/bin sleep 1
done
kill -s USR1 $czar_dog
`;

/**
 * Ends the tree at the time limit, or when nobody has written to `watched` for too long; writes which of the two it was
 * to `stopped` first. It counts ticks that it slept instead of reading a clock, so that neither a clock that jumps nor a
 * machine that slept ends an attempt. USR1 says that the agent has ended; it stays while something of the tree is left.
 *
 * Arguments: folder, marker, pid and start of the shim, seconds of a tick, ticks until the limit (0: none), ticks
 * unattended, seconds of a step, steps from TERM to KILL. It carries no marker itself, and the signals that an agent
 * sends to its whole group are ignored in it from its first moment.
 */
const watchdog = `
trap 'over=1; [ -z "$nap" ] || kill -s KILL "$nap"' USR1
over= nap=
dir=$1 mark=$2 shim=$3 born=$4 tick=$5 limit=$6 alone=$7 step=$8 grace=$9
PATH=$PATH:/usr/bin:/bin
cd /
${self}
czar_self
echo "$czar_pid $czar_start ." >"$dir/watchdog"

shim_lives() {
  if read -r line </proc/self/stat; then
    read -r line <"/proc/$shim/stat" || return 1
    set -- \${line##*) }
    [ "$1" != Z ] && [ "\${20}" = "$born" ]
  else
    kill -0 "$shim"
  fi
} 2>/dev/null

# Words: pid, parent, session (or group), state of each process.
table() {
  read -r line </proc/self/stat || exec ps -A -o pid= -o ppid= -o pgid= -o stat=
  for file in /proc/[0-9]*/stat; do
    read -r line <"$file" || continue
    pid=\${line%% *}
    set -- \${line##*) }
    echo "$pid $2 $4 $1"
  done
} 2>/dev/null

look() {
  root=-
  shim_lives && root=$shim
  tree=
  for file in $(grep -lsF -e "$mark" /proc/[0-9]*/environ 2>/dev/null); do
    pid=\${file#/proc/}
    pid=\${pid%%/*}
    [ "$pid" = "$shim" ] || tree="$tree $pid"
  done
  rows=$(table) more=1
  while [ -n "$more" ]; do
    more=
    set -- $rows
    while [ $# -ge 4 ]; do
      pid=$1 parent=$2 session=$3 state=$4
      shift 4
      case $state in Z*) continue ;; esac
      case $pid in 1 | $$ | "$shim") continue ;; esac
      [ "$parent" != $$ ] || continue
      case "$tree " in *" $pid "*) continue ;; esac
      case "$tree $root " in
        *" $parent "*) ;;
        *) [ "$session" = "$root" ] || continue ;;
      esac
      tree="$tree $pid" more=1
    done
  done
}

end() {
  trap '' USR1
  (set -C; echo "$1" >"$dir/stopped") 2>/dev/null
  look
  n=0
  kill -s TERM $tree 2>/dev/null
  kill -s CONT $tree 2>/dev/null
  while [ -n "$tree" ] && [ $n -lt "$grace" ]; do
    sleep "$step" || sleep 1
    n=$((n + 1))
    look
  done
  n=0 clear=0
  while [ $clear -lt 2 ] && [ $n -lt 100 ]; do
    if [ -n "$tree" ]; then
      kill -s KILL $tree 2>/dev/null
      clear=0
    else
      clear=$((clear + 1))
    fi
    sleep 0.05 || sleep 1
    n=$((n + 1))
    look
  done
  exit 0
}

seen= idle=0 spent=0
while :; do
  if [ -n "$over" ] || ! shim_lives; then
    over=
    look
    [ -n "$tree" ] || exit 0
  fi
  sleep "$tick" &
  nap=$!
  [ -z "$over" ] || kill -s KILL "$nap"
  wait "$nap"
  code=$? nap=
  [ $code -ne 127 ] || exit 0
  [ $code -eq 0 ] || continue
  spent=$((spent + 1)) idle=$((idle + 1))
  now=
  read -r now <"$dir/watched"
  [ "$now" = "$seen" ] || idle=0
  seen=$now
  [ "$limit" -eq 0 ] || [ $spent -lt "$limit" ] || end timeout
  [ $idle -lt "$alone" ] || end unattended
done
`;

/** Arguments for `/bin/sh` that start a program under the shim. Times in milliseconds; `dir` is absolute. */
export function shimArguments(options: {
  readonly dir: string;
  readonly argv: readonly string[];
  readonly timeoutMs: number | null;
  readonly unattendedMs: number;
  readonly graceMs: number;
}): readonly string[] {
  const { dir, argv, timeoutMs, unattendedMs, graceMs } = options;
  const tick = stepOf(Math.min(timeoutMs ?? Infinity, unattendedMs) / 10, 100, 15_000);
  const step = stepOf(graceMs / 5, 50, 500);
  const ticks = (ms: number): number => Math.ceil(ms / tick);
  return [
    '-c',
    shim,
    shimName,
    dir,
    watchdog,
    seconds(tick),
    // One more, so that a loop that is alive is the one to end it.
    String(timeoutMs === null ? 0 : ticks(timeoutMs) + 1),
    String(ticks(unattendedMs)),
    seconds(step),
    String(Math.ceil(graceMs / step)),
    ...argv,
  ];
}

/** A span between the bounds, in whole seconds from one second on: not every `sleep` knows fractions. */
function stepOf(ms: number, least: number, most: number): number {
  const bounded = Math.min(Math.max(ms, least), most);
  return bounded < 1_000 ? Math.round(bounded) : Math.floor(bounded / 1_000) * 1_000;
}

function seconds(ms: number): string {
  return String(ms / 1_000);
}
