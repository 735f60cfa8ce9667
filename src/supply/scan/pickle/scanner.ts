import type { Collection, Scanner } from '../scanner.ts';
import type { Setting } from './judge.ts';
import { PICKLE_RULES } from './rules.ts';
import { scanPickles } from './scan-pickle.ts';
import { beginsPickle } from './trial.ts';

/** What programs that load pickles look for; it makes the scanner look harder, never less hard. */
const NAMED = /\.(pkl|pickle|p|pt|pth|pt2|bin|ckpt|joblib|dill|model|sav|dat|data)(\.\w{2,4})?$/i;

/**
 * Python pickles of every protocol: alone, several in a file, in PyTorch's archives and legacy files, as joblib writes them.
 * They are run on a machine that knows names instead of objects, so that whatever loading would do is seen, and nothing is done.
 */
export const pickleScanner: Scanner = {
  id: 'pickle',
  title: 'Python pickle (protocols 0 to 5, joblib, dill, PyTorch)',
  rules: Object.values(PICKLE_RULES),
  recognises: ({ name, source, budget }) =>
    beginsPickle(source, 0, budget, NAMED.test(name) ? 'named' : 'unnamed'),
  scan: (source, context) => scanPickles(source, context, settingOf(context.name, context.siblings)),
};

/** What is normal in a pickle of this name: PyTorch's archives hold `data.pkl` beside their storages. */
function settingOf(name: string, siblings: Collection | undefined): Setting {
  const root = /^(.*?\/)?(?:(?:data|constants|traced_inputs)\.pkl|code\/.*\.debug_pkl)$/.exec(name);
  if (!root || siblings?.kind !== 'archive') return { torch: false, script: false };
  const folder = root[1] ?? '';
  const has = (test: (rest: string) => boolean) =>
    siblings.members.some(
      (member) => member.name.startsWith(folder) && test(member.name.slice(folder.length)),
    );
  const script = has((rest) => rest === 'constants.pkl') && has((rest) => rest.startsWith('code/'));
  return { torch: script || has((rest) => rest === 'version' || rest.startsWith('data/')), script };
}
