. "$CZAR_SHELL"
case "$CZAR_WORKER/$CZAR_ATTEMPT" in
a/*)
  czarina_log_task_start 'write it'
  czarina_log_checkpoint 'half way'
  echo '{"type": "usage", "input_tokens": 1000, "output_tokens": 500, "cost_usd": 0.25}'
  echo one > a.txt; echo a > both.txt; git add a.txt both.txt; git commit -qm 'a'
  czarina_log_task_complete 'write it'
  czar emit handoff 'a.txt has the first line'
  echo 'no report' >> "$CZAR_REPORT_FILE" ;;
b/1) echo half > half.txt; echo 'it went wrong' >&2; exit 3 ;;
b/*) cp a.txt b.txt ;;
c/*) sleep 6; echo c > both.txt ;;
d/1) czar emit ask 'which of the two?' ;;
e/1) czar emit blocked 'the key is missing' ;;
i/*) mkdir -p .github/workflows; echo 'on: push' > .github/workflows/ci.yml ;;
j/*) echo j > j.txt ;;
k/* | n/*) echo draft > draft.txt; exec sleep 300 ;;
m/*) exit 1 ;;
*) echo "$CZAR_WORKER" > "$CZAR_WORKER.txt" ;;
esac
