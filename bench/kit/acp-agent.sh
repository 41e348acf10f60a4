# An agent that speaks the Agent Client Protocol and says at its prompt what is in the file $1, as fast as it can.
# Requests come one after another; each is answered under its own id.
answer() {
  IFS= read -r line || exit 0
  id=${line#*\"id\":}
  id=${id%%[,\}]*}
  [ -z "$2" ] || cat "$2"
  printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"
}
answer '{"protocolVersion":1,"agentCapabilities":{}}'
answer '{"sessionId":"s"}'
answer '{"stopReason":"end_turn"}' "$1"
read -r line
exit 0
