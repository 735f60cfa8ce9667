/** See build-console.mjs. */
export function buildConsole(options?: {
  readonly ifNewer?: boolean;
}): Promise<{ readonly built: boolean; readonly bytes: number }>;
