/**
 * A command line as it can be pasted into a shell: arguments are quoted where they must be. It gets into results that others read, so
 * secrets are left out: tokens, values of headers, user and password of an address.
 */
export function commandLine(args: readonly string[]): string {
  return ['glacis', ...args.map(withoutSecret).map(quoted)].join(' ');
}

const SECRET = /^--(?:token(?:-b)?|header)$/;

function withoutSecret(arg: string, i: number, args: readonly string[]): string {
  const [option = '', ...rest] = arg.split('=');
  if (rest.length > 0 && SECRET.test(option)) return `${option}=${masked(option, rest.join('='))}`;
  const before = args[i - 1] ?? '';
  if (SECRET.test(before)) return masked(before, arg);
  return arg.replace(/^((?:--[\w-]+=)?(?:https?|grpcs?):\/\/)[^/?#]*@/i, '$1');
}

/** Of a header, the name stays. */
function masked(option: string, value: string): string {
  const at = value.indexOf('=');
  return option === '--header' && at > 0 ? `${value.slice(0, at)}=…` : '…';
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
