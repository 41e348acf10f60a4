/**
 * Text of the small programs that an attempt is started with: shell functions for reporting, and `czar` itself. They
 * name the launcher by its path, so an agent that changes its PATH can still report.
 */

/** Functions and what each of them reports. */
const functions: readonly (readonly [name: string, kind: string])[] = [
  ['task_start', 'task-start'],
  ['task_complete', 'task-complete'],
  ['checkpoint', 'checkpoint'],
  ['blocked', 'blocked'],
];

/** A file to be read with `.` by a POSIX shell or bash: czarina_log_task_start and so on, and the same with czar_log_. */
export function shellFunctions(launcher: string): string {
  const czar = shellQuote(launcher);
  const lines = [
    '# Reports for czar. Read it with:  . "$CZAR_SHELL"',
    '# Each function takes one text, and fails when the report could not be recorded.',
    '',
  ];
  for (const prefix of ['czarina_log', 'czar_log']) {
    for (const [name, kind] of functions) {
      lines.push(`${prefix}_${name}() { ${czar} emit ${kind} -- "$*"; }`);
    }
    // What completes a worker is its end and its gates; that it thinks so is worth a line.
    lines.push(
      `${prefix}_worker_complete() { ${czar} emit checkpoint -- "worker_complete\${*:+ $*}"; }`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The `czar` on an attempt's PATH: the first of these commands whose files are all there, else the last. */
export function launcherScript(commands: readonly (readonly string[])[]): string {
  const lines = ['#!/bin/sh', '# The czar that this attempt was started with.'];
  for (const [at, command] of commands.entries()) {
    const words = command.map(shellQuote);
    const there = at === commands.length - 1 ? [] : words.map((word) => `[ -f ${word} ]`);
    lines.push([...there, `exec ${words.join(' ')} "$@"`].join(' && '));
  }
  return `${lines.join('\n')}\n`;
}

/** A word that any POSIX shell reads as exactly this text. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
