/**
 * What ends an attempt when no loop does, as constants like the shim: the watchdog of one attempt, and the keeper that
 * starts watchdogs. POSIX sh; they need nothing but `sleep`, and `grep` or `ps`.
 *
 * A watchdog costs more than a short attempt, so an attempt gets one only when it has lived for a moment, and at once
 * when the loop is gone: the keeper's input ends with the loop.
 */
import { folderFunction, selfFunction } from './runner-text.ts';

/**
 * Ends the tree at the time limit, or when nobody has written to `watched` for too long; writes which of the two it was
 * to `stopped` first. It counts ticks that it slept instead of reading a clock, so that neither a clock that jumps nor a
 * machine that slept ends an attempt. USR1 says that the agent has ended; it stays while something of the tree is left.
 *
 * Arguments: folder, marker, pid and start of the shim, seconds of a tick, ticks until the limit (0: none), ticks
 * unattended, seconds of a step, steps from TERM to KILL. It carries no marker itself, and is not in the agent's session.
 */
export const watchdogText = `
trap 'over=1; [ -z "$nap" ] || kill -s KILL "$nap"' USR1
over= nap=
dir=$1 mark=$2 shim=$3 born=$4 tick=$5 limit=$6 alone=$7 step=$8 grace=$9
PATH=$PATH:/usr/bin:/bin
cd /
${selfFunction}
czar_self
echo "$czar_pid $czar_start ." >"$dir/watchdog"

# Whether the shim still has this attempt; after its exit it may have another.
has_it() {
  while read -r word line; do
    [ "$word" != exit ] || return 1
  done <"$dir/status" || return 1
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
  has_it && root=$shim
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
  if [ -n "$over" ] || ! has_it; then
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

/**
 * Starts watchdogs. Arguments: the folder of the shims' notes; the watchdog's text. Standard input: one line for each
 * attempt that is to have one. When it ends, every attempt that a shim still has gets one; looked at twice, since a
 * shim may read what it was told a moment before the loop died.
 */
export const keeperText = `
czar_notes=$1 czar_dog=$2
trap '' HUP INT QUIT TERM
PATH=$PATH:/usr/bin:/bin
${folderFunction}
guard() {
  czar_folder "$1"
  [ ! -e "$czar_dir/watchdog" ] || return 0
  shim=
  while read -r kind one rest; do
    case $kind in
      shim) shim=$one born=\${rest% .} ;;
      exit) return 0 ;;
    esac
  done <"$czar_dir/status"
  [ -n "$shim" ] || return 0
  guard=
  read -r guard key limits <"$czar_dir/start"
  [ "$guard" = '#guard' ] || return 0
  /bin/sh -c "$czar_dog" czar-watchdog "$czar_dir" "CZAR_ATTEMPT_KEY=$key" "$shim" "$born" $limits &
} 2>/dev/null
while IFS= read -r line; do guard "$line"; done
for look in 1 2; do
  for note in "$czar_notes"/*; do
    line=
    while IFS= read -r next; do line=$next; done <"$note"
    [ -z "$line" ] || guard "$line"
  done
  [ $look = 2 ] || sleep 1
done 2>/dev/null
`;

/** Limits of a watchdog, as its last arguments. Times in milliseconds. */
export function watchdogLimits(options: {
  readonly timeoutMs: number | null;
  readonly unattendedMs: number;
  readonly graceMs: number;
}): readonly string[] {
  const { timeoutMs, unattendedMs, graceMs } = options;
  const tick = stepOf(Math.min(timeoutMs ?? Infinity, unattendedMs) / 10, 100, 15_000);
  const step = stepOf(graceMs / 5, 50, 500);
  const ticks = (ms: number): number => Math.ceil(ms / tick);
  return [
    seconds(tick),
    // One more, so that a loop that is alive is the one to end it.
    String(timeoutMs === null ? 0 : ticks(timeoutMs) + 1),
    String(ticks(unattendedMs)),
    seconds(step),
    String(Math.ceil(graceMs / step)),
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
