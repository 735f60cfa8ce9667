import { removeFolder, serverFolder } from './program.ts';

/** The variable that names the folder to the processes of a run of tests. */
const NAME = 'GLACIS_TEST_RUN';

/** A folder that all processes of a run of tests share, for what one makes and others copy; undefined outside of a run. */
export const runFolder = (): string | undefined => process.env[NAME];

/** Vitest calls this before a run, and what it gives after it. */
export default function beforeRun(): () => void {
  const folder = serverFolder('glacis-run');
  process.env[NAME] = folder;
  return () => removeFolder(folder);
}
