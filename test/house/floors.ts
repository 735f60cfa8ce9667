/**
 * The floors of the house: a folder of src imports from lower floors and from itself. ARCHITECTURE.md says what lives
 * in each folder; a new folder gets its line here first.
 */
export const FLOORS: Readonly<Record<string, number>> = {
  core: 0,
  onnx: 0,
  transform: 1,
  oip: 1,
  runtime: 2,
  store: 2,
  detect: 3,
  threat: 3,
  data: 3,
  supply: 3,
  ledger: 3,
  privacy: 4,
  train: 4,
  policy: 4,
  attack: 5,
  certify: 5,
  explain: 5,
  monitor: 5,
  assess: 6,
  incident: 6,
  report: 6,
  registry: 6,
  gateway: 7,
  harden: 7,
  cli: 8,
};

/** Imports inside one floor that are allowed, as `from→to`; the reverse direction is not, so there are no circles. */
export const TIES: ReadonlySet<string> = new Set([
  'onnx→core', // errors and cancellation
  'report→assess', // the result that a report shows
  'train→privacy', // accountants and the ledger
  'supply→data', // files written as a whole or not at all, bytes that are read by position, NumPy headers
]);

/** Imports that point downwards and are still wrong, with the reason. */
export const FORBIDDEN: ReadonlyMap<string, string> = new Map([
  ['gateway→attack', 'the server that guards a model must not carry attacks'],
]);

/** Why a file in folder `from` may not import from folder `to`; `undefined` when it may. */
export function importProblem(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const [upper, lower] = [FLOORS[from], FLOORS[to]];
  if (upper === undefined) return `folder ${from} has no floor`;
  if (lower === undefined) return `folder ${to} has no floor`;
  const tie = `${from}→${to}`;
  const reason = FORBIDDEN.get(tie);
  if (reason !== undefined) return `${tie}: ${reason}`;
  if (lower < upper || (lower === upper && TIES.has(tie))) return undefined;
  return lower === upper
    ? `${tie}: a tie inside floor ${upper} that is not listed`
    : `${tie}: from floor ${upper} up to ${lower}`;
}
