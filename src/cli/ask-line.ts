import { stdin } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { GlacisError } from '../core/error.ts';

/** Asks a question on `output` and gives the line that is typed, or piped in. Errors: `run/cancelled` on Ctrl-C and at the end of the input. */
export async function askLine(
  question: string,
  {
    output,
    signal,
    where,
  }: { readonly output: NodeJS.WritableStream; readonly signal: AbortSignal; readonly where: string },
): Promise<string> {
  const lines = createInterface({ input: stdin, output });
  try {
    return await new Promise<string>((resolve, reject) => {
      const cancel = () => reject(new GlacisError('run/cancelled', `${where}: cancelled`));
      lines.once('SIGINT', cancel);
      lines.once('close', cancel);
      lines.question(question, { signal }).then(resolve, cancel);
    });
  } finally {
    lines.close();
  }
}
