/** `czar completion bash|zsh|fish`: what the shell completes, made of the verbs as they are. */
import { Argument, type Command } from 'commander';
import { createProgram, define } from '../commander.ts';
import { shellScript, type Completed, type CompletedFlag } from '../completion-scripts.ts';
import { exits } from '../exit.ts';
import type { CliContext, Verb } from '../verb.ts';
import { verbs } from '../verbs.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export const verb: Verb = {
  define: (command, context) => {
    command
      .addArgument(new Argument('<shell>', 'which shell').choices([...shells]))
      .addHelpText(
        'after',
        '\nbash: eval "$(czar completion bash)" in ~/.bashrc' +
          '\nzsh:  eval "$(czar completion zsh)" in ~/.zshrc, behind compinit' +
          '\nfish: czar completion fish > ~/.config/fish/completions/czar.fish',
      )
      .action((shell: string) => print(context, shell));
  },
};

async function print(context: CliContext, wanted: string): Promise<void> {
  const shell = shells.find((one) => one === wanted);
  if (shell === undefined)
    return context.fail({ exit: exits.wrong, what: `there is no completion for ${wanted}` });
  const known: Completed[] = [];
  for (const [name, { summary, load }] of Object.entries(verbs)) {
    const { verb: loaded } = await load();
    const command = createProgram(context.out).command(name).description(summary);
    if (!('raw' in loaded)) define(loaded, { command, context });
    known.push(completed(command));
  }
  const globals = createProgram(context.out).options.map(flag);
  const script = shellScript(shell, { verbs: known, globals });
  if (context.options.json) context.out.json({ v: 1, shell, script });
  else context.out.exact(script);
}

function completed(command: Command): Completed {
  const [first] = command.registeredArguments;
  return {
    name: command.name(),
    summary: command.description(),
    flags: command.options.map(flag),
    verbs: command.commands.map(completed),
    words: first?.argChoices ?? [],
    takesWorkers: /^(?:workers?|scope)$/.test(first?.name() ?? ''),
  };
}

function flag(option: Command['options'][number]): CompletedFlag {
  return {
    long: option.long ?? '',
    short: option.short ?? null,
    text: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  };
}
