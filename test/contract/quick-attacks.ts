/** Smaller budgets for attacks whose usual ones would take long here. */
export const QUICK: Readonly<Record<string, Record<string, number>>> = {
  autoattack: { steps: 20, squareQueries: 100 },
  'cw-l2': { steps: 40, searchSteps: 6, stepSize: 0.05 },
  'cw-linf': { steps: 20, stepSize: 0.05, constFactor: 8, decreaseFactor: 0.7 },
  ddn: { steps: 40 },
  ead: { steps: 40, searchSteps: 6 },
  fab: { steps: 25 },
  'fab-t': { steps: 25 },
  'eot-pgd': { steps: 20, average: 2 },
  fmn: { steps: 40 },
  square: { queries: 300 },
  'vmi-fgsm': { neighbours: 3 },
};
