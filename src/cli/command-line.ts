/** A command line as it can be pasted into a shell: arguments are quoted where they must be. */
export function commandLine(args: readonly string[]): string {
  return ['glacis', ...args.map(quoted)].join(' ');
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
