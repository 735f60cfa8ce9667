import { spawn } from 'node:child_process';
import { platform } from 'node:os';

/** What opens an address, by the system. */
const OPENERS: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Opens a web address in the person's browser, as far as the system has a way; whether one appeared, nobody says. False where there is no way. */
export async function openBrowser(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  const system = platform();
  if (!OPENERS[system] && !env.DISPLAY && !env.WAYLAND_DISPLAY) return false;
  const [program, ...args] = OPENERS[system] ?? ['xdg-open'];
  const child = spawn(program, [...args, address], { stdio: 'ignore', detached: true });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
