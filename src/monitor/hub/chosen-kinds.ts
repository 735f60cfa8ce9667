import type { MonitorKind } from '../monitor.ts';
import type { HubChoice } from './messages.ts';
import type { ChosenKind } from './model-watch.ts';

/** The kinds that watch a model: all that are not off, with what is said of them for this model alone before what is said for all. */
export function chosenKinds(
  // biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
  kinds: readonly MonitorKind<any>[],
  choice: HubChoice,
  model: string,
): readonly ChosenKind[] {
  const own = Object.hasOwn(choice.only, model) ? choice.only[model]! : {};
  return kinds.flatMap((kind) => {
    const options = Object.hasOwn(own, kind.name) ? own[kind.name] : choice.kinds[kind.name];
    return options === 'off' ? [] : [{ kind, options }];
  });
}
