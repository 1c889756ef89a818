/** `portolan completion`: a script that completes commands and options in a shell. */
import { Argument, type Command } from "commander";
import type { CommandContext } from "../command-context.ts";

interface Word {
  readonly word: string;
  readonly description: string;
}

interface CompletedCommand {
  /** `portolan chart init` */
  readonly path: string;
  readonly words: readonly Word[];
}

const shells = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command("completion")
    .description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(shells)))
    .addHelpText(
      "after",
      `
Examples:
  $ portolan completion bash > /etc/bash_completion.d/portolan
  $ portolan completion zsh > "\${fpath[1]}/_portolan"
  $ portolan completion fish > ~/.config/fish/completions/portolan.fish`,
    )
    .action((shell: keyof typeof shells) => {
      context.stdout(shells[shell](completedCommands(program, program.name())));
    });
}

function completedCommands(command: Command, path: string): CompletedCommand[] {
  const words = [
    ...command.commands.map((child) => ({
      word: child.name(),
      description: child.description(),
    })),
    ...command.options.flatMap(({ long, description }) =>
      long ? [{ word: long, description }] : [],
    ),
    { word: "--help", description: "help and examples" },
  ];
  return [
    { path, words },
    ...command.commands.flatMap((child) => completedCommands(child, `${path} ${child.name()}`)),
  ];
}

/** A pattern of `case`: the commands that exist, to find out where the cursor is. */
function known(commands: readonly CompletedCommand[]): string {
  return commands
    .slice(1)
    .map(({ path }) => `"${path}"`)
    .join("|");
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(
    ({ path, words }) => `    "${path}") known="${words.map(({ word }) => word).join(" ")}" ;;`,
  );
  return `# bash completion of portolan
_portolan() {
  local word known="" command="portolan"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command $word" in
      ${known(commands)}) command="$command $word" ;;
    esac
  done
  case "$command" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$known" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _portolan portolan
`;
}

function zshScript(commands: readonly CompletedCommand[]): string {
  const quoted = ({ word, description }: Word) =>
    `'${word}:${description.replace(/'/g, "'\\''").replace(/:/g, "\\:")}'`;
  const cases = commands.map(
    ({ path, words }) => `    "${path}") known=(${words.map(quoted).join(" ")}) ;;`,
  );
  return `#compdef portolan
_portolan() {
  local word command="portolan"
  local -a known
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$command $word" in
      ${known(commands)}) command="$command $word" ;;
    esac
  done
  case "$command" in
${cases.join("\n")}
  esac
  _describe portolan known || _files
}
compdef _portolan portolan
`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const quoted = (text: string) => `'${text.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}'`;
  const lines = commands.flatMap(({ path, words }) => {
    const [, ...names] = path.split(" ");
    const below = commands
      .filter((other) => other.path.startsWith(`${path} `))
      .map((other) => other.path.split(" ")[names.length + 1] ?? "");
    const seen = names.map((name) => `__fish_seen_subcommand_from ${name}`);
    const unseen =
      below.length > 0 ? [`not __fish_seen_subcommand_from ${[...new Set(below)].join(" ")}`] : [];
    const condition = [...seen, ...unseen].join("; and ") || "true";
    return words.map(({ word, description }) => {
      const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c portolan -n ${quoted(condition)} ${what} -d ${quoted(description)}`;
    });
  });
  return `# fish completion of portolan\n${lines.join("\n")}\n`;
}
