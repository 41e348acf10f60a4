#!/bin/sh
# The scripted agent of `czar demo`. It stands for a coding agent: started in a worker's tree, it reads its prompt,
# reports tasks, writes files, commits them and says what it used. What it writes comes from notes/standards.txt.
#
# Two workers behave badly on purpose: `testing` fails on its first attempt, and `security` leaves a file uncommitted.

set -eu
. "$CZAR_SHELL"

read_prompt=$(wc -c <"$CZAR_PROMPT_FILE")
written=0

# Stands for the time that a model would think, seconds.
think() {
  sleep 0.2
}

save() {
  git add -A
  git commit -q -m "$1"
}

# rules TOPIC TITLE: the document of one topic, from the notes.
rules() {
  czarina_log_task_start "Extract $1 rules"
  mkdir -p "agent-rules/$1"
  think
  {
    echo "# $2"
    echo
    sed -n "s/^$1: /- /p" notes/standards.txt
    echo
    echo 'Source: [notes](../../notes/standards.txt)'
  } >"agent-rules/$1/RULES.md"
  written=$((written + $(wc -c <"agent-rules/$1/RULES.md")))
  think
  save "Extract $1 rules from the notes"
  czarina_log_task_complete "Extract $1 rules"
}

# title FILE: its heading.
title() {
  sed -n 's/^# //p;q' "$1"
}

case $CZAR_WORKER in
  foundation)
    rules python 'Python rules'
    rules agents 'Agent rules'
    czarina_log_checkpoint standards_extracted
    czar emit handoff 'Each topic has one document, agent-rules/TOPIC/RULES.md: a title, one rule a line, the source.'
    ;;
  workflows)
    rules workflows 'Workflow rules'
    ;;
  patterns)
    rules patterns 'Pattern rules'
    ;;
  testing)
    if [ "$CZAR_ATTEMPT" = 1 ]; then
      mkdir -p agent-rules/testing
      echo '# Testing rules' >agent-rules/testing/RULES.md
      think
      echo 'the model returned an error after the first line (scripted failure)' >&2
      exit 1
    fi
    rules testing 'Testing rules'
    ;;
  security)
    rules security 'Security rules'
    czarina_log_task_start 'Write the examples'
    think
    {
      echo '# Security examples'
      echo
      echo 'Pass a token in the environment, never as an argument: see the [rules](RULES.md).'
    } >agent-rules/security/EXAMPLES.md
    czarina_log_task_complete 'Write the examples'
    # Ends here, with EXAMPLES.md uncommitted.
    ;;
  templates)
    czarina_log_task_start 'Build the review template'
    mkdir -p templates
    think
    {
      echo '# Review template'
      for file in agent-rules/*/RULES.md; do
        echo
        echo "## $(title "$file")"
        echo
        echo "From the [rules](../$file):"
        echo
        sed -n 's/^- /- [ ] /p' "$file"
      done
    } >templates/REVIEW.md
    written=$(wc -c <templates/REVIEW.md)
    think
    save 'Build a review template from all rules'
    czarina_log_task_complete 'Build the review template'
    ;;
  qa)
    czarina_log_task_start 'Check all documents'
    sh tools/check.sh --all
    think
    czarina_log_task_complete 'Check all documents'
    czarina_log_task_start 'Write the index'
    {
      echo '# Index'
      echo
      for file in agent-rules/*/*.md templates/*.md; do
        echo "- [$(title "$file")](../$file)"
      done
    } >agent-rules/INDEX.md
    written=$(wc -c <agent-rules/INDEX.md)
    think
    save 'Index every document'
    czarina_log_task_complete 'Write the index'
    czar emit handoff "$(grep -c '^- ' agent-rules/INDEX.md) documents are indexed, and every link opens."
    ;;
  *)
    echo "this script has no part for the worker $CZAR_WORKER" >&2
    exit 1
    ;;
esac

# A model counts tokens; a script counts what it read and wrote, four bytes each.
echo "{\"type\": \"usage\", \"input_tokens\": $((read_prompt / 4)), \"output_tokens\": $((written / 4))}"
