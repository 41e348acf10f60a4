/**
 * The shim that stands between loop and agent and outlives the loop, as a constant: no upgrade of the package can change
 * it under a running attempt. POSIX sh; it needs nothing but `sleep`, and `ps` where there is no /proc.
 *
 * One shim serves one attempt after another: its child reads an attempt's folder from the standard input of both, and
 * becomes the agent; it records the exit, tells it on its standard output, and goes on. When the loop dies it finishes what it has and
 * ends with its input. A process of its own for each attempt would cost more than the attempt's whole bookkeeping.
 *
 * Invariants: creating `status` exclusively is the claim, so an attempt starts at most once, whoever dies when. The
 * agent's pid is on record before the agent exists. A record counts only as a whole line ending in ` .`, so one that a
 * full disk tore is none, and the first record already owns the block that the exit record goes to. Names begin with
 * `czar_` because assigning to a name that the agent's environment holds would change it for the agent.
 */

/** What the shim writes before a program that the shell could not start, on the attempt's `errors`. */
export const shimName = 'czar-exec';

/**
 * Why an attempt did not start: someone else holds the claim; the records cannot be written; its tree is gone; nobody
 * said that all is there which it starts with.
 */
export const shimExit = { claimed: 73, unwritable: 74, noTree: 75, calledOff: 76 } as const;

/** How readily the kernel takes an agent when memory runs out (proc_pid_oom_score_adj(5)). */
const victimScore = 500;

/**
 * Sets czar_pid and czar_start of the shell or subshell that calls it (where `$$` is still the parent's). It may write
 * errors. Its own name, which comes first in the line, is that of /bin/sh: what ends it is the first parenthesis. Looking
 * for the last one would take a shell as long as the rest of a start.
 */
export const selfFunction = `
czar_self() {
  if read -r czar_line </proc/self/stat; then
    czar_pid=\${czar_line%% *}
    set -- \${czar_line#*) }
    czar_start=\${20}
  else
    czar_pid=$(exec /bin/sh -c 'echo $PPID')
    set -- $(LC_ALL=C TZ=UTC0 PATH=$PATH:/usr/bin:/bin ps -o lstart= -p "$czar_pid")
    czar_start=$*
  fi
}
`;

/** Sets czar_dir to the folder that the line names: \`folderLine\` undone. */
export const folderFunction = `
czar_folder() {
  czar_dir=$1
  case $1 in *\\\\*) czar_dir=$(printf '%b.' "$1") czar_dir=\${czar_dir%.} ;; esac
}
`;

/**
 * Arguments: a folder in which it notes which attempt it has, under its pid, in the last line; the boot; folders of its
 * control group that limit processes and memory, '' for none. Standard input, for each attempt: its folder
 * (`folderLine`); an empty line once all is there that it starts with; an empty line when nothing of it is left. An empty
 * line instead of a folder has the child that waits for one replaced, which is an empty note. Standard output:
 * `agent PID START .`, `exit CODE .` or `refused CODE .`; `exit CODE last .` when it ends now, since what an attempt used
 * up would count for the next. That a limit was hit is on record before the exit.
 *
 * The child that becomes the agent is there before it is told of an attempt: it claims that itself, and notes it after
 * that, which is how its shim knows it. A shim whose child ended without a note ends too: if that had claimed anything,
 * it never came to an agent. There is no next child before nothing of the attempt is left: until then what is found
 * below the shim is that attempt's.
 */
export const runnerText = `
czar_notes=$1 czar_boot=$2 czar_pids=$3 czar_memory=$4
trap : HUP INT QUIT TERM PIPE
exec 4>&1 >/dev/null 2>&1
${selfFunction}
${folderFunction}
czar_self
czar_note=$czar_notes/$czar_pid czar_noted=0 czar_mask=$(umask)
umask 077
czar_shim="boot $czar_boot .
shim $czar_pid $czar_start ."
czar_join() { [ -n "$1" ] && echo 0 >"$1/cgroup.procs"; } 2>/dev/null
czar_join "$czar_pids" || czar_pids=
czar_join "$czar_memory" || czar_memory=
[ -z "$czar_pids$czar_memory" ] || czar_shim="$czar_shim
pids $czar_pids .
memory $czar_memory .
notes $czar_notes ."
{ read -r czar_victim </proc/self/oom_score_adj; } 2>/dev/null || czar_victim=1000
czar_over() {
  while read -r czar_what czar_times; do
    [ "$czar_what" != "$2" ] || [ "$czar_times" = 0 ] || czar_last=$3
  done <"$1"
}
czar_wait() {
  czar_try=$((czar_try + 1))
  [ $czar_try -lt 3600 ] && PATH=$PATH:/usr/bin:/bin sleep 1
}
czar_refuse() {
  echo "refused $1 ." >&4
  exit "$1"
}
while :; do
  if [ $((czar_noted = czar_noted % 64 + 1)) -eq 1 ]; then
    { command exec 5>"$czar_note" && command exec 6<"$czar_note"; } || break
  fi
  (
    czar_self
    IFS= read -r czar_job || exit ${shimExit.calledOff}
    [ -n "$czar_job" ] || {
      echo >&5
      exit
    }
    # When memory runs out the kernel takes the agent, not what watches over it.
    [ "$czar_victim" -ge ${victimScore} ] || echo ${victimScore} >/proc/self/oom_score_adj
    czar_folder "$czar_job"
    set -C
    { command exec 3>"$czar_dir/status"; } || czar_refuse ${shimExit.claimed}
    set +C
    printf '%s\\n' "$czar_shim" >&3 || czar_refuse ${shimExit.unwritable}
    printf '%s\\n' "$czar_job" >&5 || {
      printf '\\nexit ${shimExit.unwritable} .\\n' >&3
      czar_refuse ${shimExit.unwritable}
    }
    exec >>"$czar_dir/output" 2>>"$czar_dir/errors"
    umask "$czar_mask"
    read -r czar_go || exit ${shimExit.calledOff}
    # Without a shim nobody would record the exit; one that was killed and not waited for yet has no descriptors.
    [ -e "/proc/$$/fd/0" ] || [ ! -e /proc/self/fd/0 ] || exit ${shimExit.calledOff}
    exec </dev/null
    . "$czar_dir/start"
    echo "agent $czar_pid $czar_start ." >&3 || exit ${shimExit.unwritable}
    # Without a loop nobody listens, and an agent must not inherit that it is ignored.
    trap '' PIPE
    echo "agent $czar_pid $czar_start ." >&4
    trap - PIPE
    exec 3>&- 4>&- 5>&- 6<&-
    exec "$@"
  )
  czar_code=$? czar_try=0 czar_last=
  IFS= read -r czar_job <&6 || break
  [ -n "$czar_job" ] || continue
  czar_folder "$czar_job"
  # Not through a link that an agent put there, nor into a pipe.
  until { [ -f "$czar_dir/status" ] && [ ! -L "$czar_dir/status" ]; } || break 2; command exec 3>>"$czar_dir/status"; do
    czar_wait || break 2
  done
  if [ -n "$czar_pids$czar_memory" ]; then
    [ -z "$czar_pids" ] || czar_over "$czar_pids/pids.events" max processes
    if [ -n "$czar_last" ]; then
      # A limit further up counts here too: where the most that there were is known, it tells whose it was.
      czar_peak= czar_max=
      read -r czar_peak <"$czar_pids/pids.peak"
      read -r czar_max <"$czar_pids/pids.max"
      [ -z "$czar_peak" ] || ! [ "$czar_peak" -lt "$czar_max" ] || czar_last=
    fi
    for czar_events in memory.events memory.oom_control; do
      [ -z "$czar_memory" ] || czar_over "$czar_memory/$czar_events" oom_kill memory
    done
    [ -z "$czar_last" ] || printf '\\nover %s .\\n' "$czar_last" >&3
    [ -z "$czar_memory" ] || czar_last=memory
  fi
  until printf '\\nexit %s .\\n' "$czar_code" >&3; do
    czar_wait || break
  done
  exec 3>&-
  [ -z "$czar_last" ] || break
  echo "exit $czar_code ." >&4
  read -r czar_go || break
  # It has none until it is told of the next.
  echo >&5 && IFS= read -r czar_job <&6 || break
done
[ -z "$czar_last" ] || echo "exit $czar_code last ." >&4
`;

/** An attempt's folder as one line, whatever is in its name. */
export function folderLine(dir: string): string {
  return `${dir.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`;
}

/** A word that a shell reads as exactly this text. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
