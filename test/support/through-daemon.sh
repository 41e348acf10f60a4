#!/bin/sh
# through-daemon.sh LAUNCHER ARGUMENT…: `czar run` attached to a daemon, which is started first where none leads. The
# process stays one from `exec` on. A daemon that is held launches nothing before `run` asks it to begin; like `run` it
# ends when its runs wait.

launcher=$1
shift
home= repo=. last=
for word; do
  case $last in
    --czar-dir) home=$word ;;
    --repo) repo=$word ;;
  esac
  last=$word
done
state=$(git -C "$repo" rev-parse --path-format=absolute --git-common-dir 2>/dev/null)/czar

leads() {
  pid=$(sed -n 's/^{"pid":\([0-9]*\),.*/\1/p' "$state/owner.json" 2>/dev/null)
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}

if ! leads; then
  CZAR_AWAITS_BEGINNING=1 "$launcher" daemon start --guarded --exit-when-waiting --repo "$repo" \
    ${home:+--czar-dir "$home"} </dev/null >>"$HOME/daemon.log" 2>&1 &
  daemon=$!
  # One that refuses the repository has ended, and `run` says why.
  until leads || ! kill -0 "$daemon" 2>/dev/null; do sleep 0.02; done
fi
exec "$launcher" "$@"
