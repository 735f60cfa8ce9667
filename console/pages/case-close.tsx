import { useState } from 'preact/hooks';
import type { Case } from '../../src/incident/case.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';

type Verdict = NonNullable<Case['verdict']>;

const VERDICTS: readonly (readonly [Verdict, string, string])[] = [
  ['attack', 'An attack', 'Somebody did it. Their measures stay in force until they are lifted.'],
  ['drift', 'Drift', 'The world changed. The monitors may learn the new usual.'],
  ['fault', 'A fault', 'Something of our own did not work.'],
  ['false-alarm', 'A false alarm', 'It was nothing. It counts against the monitor’s budget of false alarms.'],
];

/** What a case ends with. */
export function CloseDialog({
  of,
  onClose,
  onChoose,
}: {
  readonly of: Case;
  readonly onClose: () => void;
  readonly onChoose: (verdict: Verdict) => Promise<void>;
}) {
  const [verdict, setVerdict] = useState<Verdict>(of.kind);
  return (
    <Dialog title={`Close ${of.id}?`} onClose={onClose} narrow>
      <fieldset class="choices">
        <legend>What was it?</legend>
        {VERDICTS.map(([each, title, about]) => (
          <label key={each}>
            <input
              type="radio"
              name="verdict"
              value={each}
              checked={verdict === each}
              onChange={() => setVerdict(each)}
            />
            <span>
              <b>{title}</b>
              <span class="muted small block">{about}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div class="actions end">
        <Button onPress={onClose}>Cancel</Button>
        <Button tone="main" onPress={() => onChoose(verdict)}>
          Close the case
        </Button>
      </div>
    </Dialog>
  );
}
