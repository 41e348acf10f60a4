#!/bin/sh
# Checks the documents of this project. Every problem is a line; the exit code says whether there was one.
#
#   check.sh TOPIC...   the documents of these topics exist and hold every rule of the notes
#   check.sh --all      the same for every document that exists, and every link opens
#   check.sh --index    every document is linked from agent-rules/INDEX.md

notes=notes/standards.txt
problems=0

problem() {
  echo "$1"
  problems=1
}

document() {
  echo "agent-rules/$1/RULES.md"
}

topic() {
  file=$(document "$1")
  if [ ! -f "$file" ]; then
    problem "$file is missing"
    return
  fi
  read -r first <"$file"
  case $first in '# '*) ;; *) problem "$file has no title" ;; esac
  while IFS= read -r line; do
    case $line in
      "$1: "*) grep -qxF -e "- ${line#"$1: "}" "$file" || problem "$file lacks: ${line#"$1: "}" ;;
    esac
  done <$notes
}

links() {
  for target in $(sed -n 's/.*](\([^)]*\)).*/\1/p' "$1"); do
    [ -e "${1%/*}/$target" ] || problem "$1 links to $target, which does not exist"
  done
}

documents() {
  find agent-rules templates -name '*.md' 2>/dev/null | sort
}

case $1 in
  --all)
    for known in $(cut -d: -f1 $notes | sort -u); do
      if [ -f "$(document "$known")" ]; then topic "$known"; fi
    done
    for file in $(documents); do links "$file"; done
    ;;
  --index)
    index=agent-rules/INDEX.md
    if [ -f $index ]; then
      for file in $(documents); do
        [ "$file" = $index ] || grep -qF "](../$file)" $index || problem "$index does not link $file"
      done
    else
      problem "$index is missing"
    fi
    ;;
  *)
    for name in "$@"; do topic "$name"; done
    ;;
esac
exit $problems
