#!/bin/sh
# The scripted agent of the crash runs. Beside its work it writes down, outside the repository, what it did: that it
# was launched, each commit and each file that must not be lost, and how it ended. The checker compares.
#
# It may be killed at any instant and started again in the tree it left, so each part can be done twice; whatever an
# attempt is to do once in a run (fail, ask) is remembered in the side folder.

set -eu
. "$CZAR_SHELL"

side=$CRASH_SIDE
me=$CZAR_RUN/$CZAR_WORKER/$CZAR_ATTEMPT

note() {
  printf '%s\n' "$2" >>"$side/$1"
}

# Start time of a process, or nothing.
born() {
  if read -r line <"/proc/$1/stat"; then
    set -- ${line##*) }
    echo "${20}"
  fi 2>/dev/null
}

# As a reviewer it says what it finds, once; what it waits for, the user does (see `overruled` of the plan).
if [ -n "${CZAR_REVIEW:-}" ]; then
  me=$CZAR_RUN/$CZAR_WORKER/$CZAR_REVIEW
  note reviews "$me"
  says() {
    note verdicts "$me $1"
    printf '{"review":"%s","verdict":"%s","summary":"%s","findings":[]}\n' "$CZAR_REVIEW_KEY" "$1" "$2"
  }
  sleep 0.1
  case $CZAR_WORKER in
    left) if [ -f left/polish ]; then says approve 'it shines'; else says changes_requested 'polish it'; fi ;;
    top)
      if [ -f src/signed ]; then says approve 'it is signed'; else
        : >"$side/asked-top"
        # Nothing but the user's word ends it.
        sleep 600
        exit 9
      fi
      ;;
  esac
  exit 0
fi

note launches "$me $$ $(born $$)"
trap 'code=$?; note exits "$me $code"' EXIT

# S1: two attempts of one worker never live at the same time.
live=$side/live-$CZAR_WORKER
if [ -f "$live" ]; then
  read -r pid start before <"$live"
  [ "$(born "$pid")" != "$start" ] || note doubles "$me while $before lives"
fi
echo "$$ $(born $$) $me" >"$live"

think() {
  sleep "0.$1"
}

# write PATH TEXT: a file whose content must be reachable from now on.
write() {
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" >"$1"
  note files "$me $1 $(git hash-object "$1")"
}

# draft: something that only this attempt knows, uncommitted.
draft() {
  rm -rf drafts
  write "drafts/$CZAR_WORKER" "$me thinks $$"
}

# finish: the draft was only for itself.
finish() {
  [ ! -f "drafts/$CZAR_WORKER" ] || note gone "$me drafts/$CZAR_WORKER"
  rm -rf drafts
}

commit() {
  git add -A -- . ':(exclude)drafts'
  git diff --cached --quiet || git commit -q -m "$1"
  note commits "$me $(git rev-parse HEAD)"
}

# once NAME: true the first time in the whole run.
once() {
  (set -C; : >"$side/once-$1") 2>/dev/null
}

case $CZAR_WORKER in
  # The diamond.
  base)
    draft
    think 1
    write src/base 'the base'
    write src/plain 'as the base made it'
    commit 'Base'
    finish
    ;;
  left)
    [ -f src/base ]
    draft
    rm -rf left
    if [ ! -f "$side/once-left" ]; then
      write left/half "half of $me"
      commit 'Half of the left side'
      write left/open 'not committed'
      think 1
      once left
      exit 3
    fi
    think 2
    write left/a 'the left side'
    if grep -q 'polish it' "$CZAR_PROMPT_FILE"; then write left/polish 'polished'; fi
    commit 'Left side'
    finish
    ;;
  right)
    [ -f src/base ]
    draft
    write right/a 'the right side'
    commit 'Right side'
    think 3
    finish
    write right/rest 'nobody committed this'
    write right/deep/rest 'nor this'
    ;;
  top)
    [ -f left/a ] && [ -f right/rest ] && [ -f right/deep/rest ]
    draft
    write src/plain 'the base, with a top'
    if grep -q 'sign it' "$CZAR_PROMPT_FILE"; then write src/signed 'signed'; fi
    commit 'Top'
    think 1
    finish
    write src/top 'the top'
    ;;

  # Side by side.
  one | two | three | four)
    [ -f build/ready ]
    draft
    if [ "$CZAR_WORKER" = two ] && [ ! -f "$side/once-two" ]; then
      write two/begun 'begun and to be continued'
      commit 'Begin'
      once two
      exit 7
    fi
    for part in 1 2 3; do
      write "$CZAR_WORKER/part-$part" "part $part"
      commit "Part $part of $CZAR_WORKER"
      think 1
    done
    [ "$CZAR_WORKER" != two ] || write two/begun 'begun and to be continued'
    finish
    write "$CZAR_WORKER/rest" 'left uncommitted'
    ;;
  join)
    [ -f one/part-3 ] && [ -f two/begun ] && [ -f three/rest ] && [ -f four/rest ]
    draft
    write join/list "$(echo one two three four)"
    commit 'Join'
    finish
    ;;

  # The chain.
  notes)
    echo 'what is known' >notes.txt
    think 1
    czar emit handoff 'The sky is known to be blue.'
    ;;
  draft)
    grep -q 'known to be blue' "$CZAR_PROMPT_FILE"
    draft
    if ! grep -q 'in rhyme' "$CZAR_PROMPT_FILE"; then
      write draft/begun 'waiting for an answer'
      commit 'Begin the draft'
      finish
      czar emit ask 'In rhyme or in prose?'
      exit 0
    fi
    think 1
    write draft/text 'the sky, in rhyme'
    write draft/begun 'answered'
    commit 'Draft'
    finish
    ;;
  stuck)
    draft
    write stuck/begun "as far as $me came"
    commit 'As far as it goes'
    czar emit blocked 'the registry is down'
    ;;
  review)
    [ -f draft/text ]
    write review/log 'reviewed'
    think 1
    commit 'Review'
    ;;
  end)
    [ -f review/log ]
    draft
    think 1
    finish
    write end/uncommitted 'the end'
    ;;
  # Guided: asked about, stopped at its budget, amended.
  ask)
    draft
    write ask/done 'what was asked for'
    think 1
    commit 'Ask'
    finish
    ;;
  spend)
    draft
    if [ ! -f "$side/once-spend" ]; then
      write spend/half "half of $me"
      commit 'Half of what it costs'
      echo '{"type": "usage", "input_tokens": 900, "output_tokens": 0}'
      think 1
      once spend
      echo '{"type": "usage", "input_tokens": 200, "output_tokens": 0}'
      # Nothing but its budget ends it.
      sleep 600
      exit 9
    fi
    write spend/half 'all of it'
    write spend/whole 'paid for'
    commit 'The whole'
    finish
    ;;
  late)
    grep -q 'As amended' "$CZAR_PROMPT_FILE"
    [ -f ask/done ] && [ -f spend/whole ]
    draft
    write late/text 'as amended'
    commit 'Late'
    think 2
    finish
    ;;
  extra)
    [ -f ask/done ]
    write extra/done 'added while it ran'
    think 1
    commit 'Extra'
    ;;
  close)
    [ -f late/text ] && [ -f extra/done ]
    draft
    think 1
    finish
    write close/done 'the end'
    ;;
  *)
    echo "no part for $CZAR_WORKER" >&2
    exit 1
    ;;
esac
