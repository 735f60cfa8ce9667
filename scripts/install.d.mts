/** What is wrong with node_modules under `root`, or `undefined` when it holds what package-lock.json asks for. */
export function staleReason(root: string): string | undefined;
/** Runs `npm ci` in `root` when it is needed; true when node_modules is in order afterwards. */
export function ensureInstalled(root: string): Promise<boolean>;
