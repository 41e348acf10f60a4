/**
 * What a shell command line runs, as far as that can be told without a shell: its simple commands, when nothing in it is
 * computed, redirected to a file, or hidden. Not a parser of a shell: what it does not understand is null.
 *
 * The grammar that it knows is that of POSIX, Shell Command Language, 2.2 (quoting) and 2.9.2 to 2.9.3 (pipelines, lists).
 */

/** The simple commands of a line, as they are written; null when that is not sure. */
export function simpleCommands(line: string): readonly string[] | null {
  const commands: string[] = [];
  let start = 0;
  const end = (at: number, length: number): void => {
    commands.push(line.slice(start, at).trim());
    start = at + length;
  };
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (char === "'") {
      at = line.indexOf("'", at + 1);
      if (at < 0) return null;
    } else if (char === '"') {
      const close = closing(line, at);
      if (close === null) return null;
      at = close;
    } else if (char === '\\') {
      if (line[at + 1] === '\n' || at + 1 === line.length) return null;
      at += 1;
    } else if (char === '>' || char === '<') {
      const harmless = /^(?:>&[12]|> ?\/dev\/null)(?=[\s;|&]|$)/.exec(line.slice(at));
      if (harmless === null) return null;
      at += harmless[0].length - 1;
    } else if (char === '`' || char === '$' || char === '(' || char === ')' || char === '#') {
      // A variable may hold anything, a comment hides what follows from whoever reads one line.
      return null;
    } else if (char === '{' || char === '}' || char === '!') {
      return null;
    } else if (char === '\n' || char === ';') {
      end(at, 1);
    } else if (char === '|' || char === '&') {
      const twice = line[at + 1] === char;
      if (char === '|' && line[at + 1] === '&') return null;
      // What goes on in the background outlives whoever waits for it.
      if (char === '&' && !twice) return null;
      end(at, twice ? 2 : 1);
      if (twice) at += 1;
    }
  }
  end(line.length, 0);
  const written = commands.filter((command) => command !== '');
  const plain = written.every((command) => !/^[A-Za-z_]\w*\+?=/.test(command));
  return plain && written.length > 0 ? written : null;
}

/** Where the double quote that opens at `from` is closed; null when it is not, or when something in it is computed. */
function closing(line: string, from: number): number | null {
  for (let at = from + 1; at < line.length; at += 1) {
    const char = line[at];
    if (char === '"') return at;
    if (char === '$' || char === '`') return null;
    if (char === '\\') at += 1;
  }
  return null;
}
