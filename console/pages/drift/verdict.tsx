import type { MonitorState } from '../../../src/monitor/monitor.ts';
import { Opening } from '../../parts/card.tsx';
import { counted, titled, worded } from '../../parts/format.ts';
import { Text } from '../../parts/text.tsx';
import { falseAlarmWords } from './false-alarm-words.ts';

/** Whether anything moved, in a sentence. */
export function Verdict({
  states,
  model,
}: {
  readonly states: readonly MonitorState[];
  readonly model: string;
}) {
  const alarmed = states.filter(({ phase }) => phase === 'alarmed');
  const blind = states.filter(({ phase }) => phase === 'blind');
  const learning = states.filter(({ phase }) => phase === 'learning');
  const watching = states.length - blind.length - learning.length;
  const budget = states.reduce(
    (sum, { phase, falseAlarms }) =>
      sum + (phase === 'learning' || phase === 'blind' ? 0 : (falseAlarms?.budgetPerDay ?? 0)),
    0,
  );
  if (states.length === 0) {
    return (
      <Opening chip="Nobody watches" tone="warn" title="No monitor watches this model.">
        Monitors are named in <code>serve: monitors:</code>. They learn what is usual from calm traffic first:{' '}
        <code>glacis monitor calibrate</code>.
      </Opening>
    );
  }
  return (
    <Opening
      chip={alarmed.length > 0 ? 'Beyond the threshold' : watching === 0 ? 'Learning' : 'As usual'}
      tone={alarmed.length > 0 ? 'changed' : watching === 0 ? 'rest' : 'held'}
      title={
        alarmed.length > 0 ? (
          <>
            {titled(alarmed[0]!.monitor)}
            {alarmed.length === 2 && ` and ${worded(alarmed[1]!.monitor)}`}
            {alarmed.length > 2 && ` and ${counted(alarmed.length - 1, 'other monitor')}`}{' '}
            {alarmed.length === 1 ? 'is' : 'are'} alarmed on <Text of={model} most={40} />.
          </>
        ) : (
          <>
            {watching === 0 ? 'Nobody can tell yet what moves on ' : 'Nothing moved on '}
            <Text of={model} most={40} />.
          </>
        )
      }
    >
      {watching === states.length
        ? `${counted(states.length, 'monitor')} watch`
        : `${watching === 0 ? 'None' : watching} of ${counted(states.length, 'monitor')} can tell`}
      {watching > 0 && budget > 0 && <>, together with at most {falseAlarmWords(budget)}</>}.
      {learning.length > 0 && ` ${counted(learning.length, 'is', 'are')} still learning what is usual.`}
      {blind.length > 0 && ` ${counted(blind.length, 'lacks', 'lack')} something.`}
    </Opening>
  );
}
