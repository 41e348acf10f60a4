// Loaded before czar when Node comes from PATH. Written so that any Node can parse it, because an
// old one would fail on czar itself with a syntax error instead of a sentence.
if (parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    'czar needs Node 24 or newer; this is ' + process.version + ' (' + process.execPath + ')\n',
  );
  process.exit(1);
}
