#!/bin/sh
# An agent that has nothing to do. It writes down its launch and its exit as agent.sh does.

set -eu
me=$CZAR_RUN/$CZAR_WORKER/$CZAR_ATTEMPT
read -r line </proc/$$/stat
set -- ${line##*) }
printf '%s\n' "$me $$ ${20}" >>"$CRASH_SIDE/launches"
printf '%s\n' "$me 0" >>"$CRASH_SIDE/exits"
