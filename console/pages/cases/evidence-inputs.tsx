import { useState } from 'preact/hooks';
import type { DecisionInput, DecisionRow } from '../../../src/gateway/console/api.ts';
import { tell } from '../../data/ask.ts';
import { useMay } from '../../data/session.ts';
import { Button } from '../../parts/button.tsx';
import { ClassName } from '../../parts/class-name.tsx';
import { count, figure } from '../../parts/format.ts';
import { Picture } from '../../parts/picture.tsx';
import { pictureOf } from '../../parts/real-input.tsx';
import { Text } from '../../parts/text.tsx';
import { Link, pathTo } from '../../shell/router.tsx';

/** Calls whose inputs are read with one press: each reading is an entry of the log. */
const MOST = 8;

/** What was really sent in the most telling calls, side by side: small changes of one picture are seen at a glance. */
export function EvidenceInputs({ of }: { readonly of: readonly DecisionRow[] }) {
  const may = useMay('log.payload');
  const [inputs, setInputs] = useState<readonly DecisionInput[] | undefined>();
  const shown = of.slice(0, MOST);
  if (!may || shown.length === 0) return null;
  if (inputs === undefined) {
    return (
      <div class="real-input">
        <Button
          icon="search"
          onPress={async () =>
            setInputs(
              await Promise.all(
                shown.map(({ id }) => tell<DecisionInput>(`/api/decisions/${encodeURIComponent(id)}/input`)),
              ),
            )
          }
        >
          Show what was sent
        </Button>
        <span class="muted small">
          In {shown.length === 1 ? 'this call' : `the first ${count(shown.length)} calls`}, where it was kept.
          The log says who looked.
        </span>
      </div>
    );
  }
  const kept = inputs.filter(({ state, samples }) => state === 'kept' && samples.length > 0);
  return (
    <div class="real-input" role="status">
      {kept.length < inputs.length && (
        <p class="muted">
          {kept.length === 0
            ? 'None of these inputs was kept, or can still be read.'
            : `${count(kept.length)} of ${count(inputs.length)} inputs were kept and can be read.`}
        </p>
      )}
      <ul class="real-samples">
        {kept.map((input) => {
          const row = shown.find(({ id }) => id === input.id);
          const picture = pictureOf(input, input.samples[0]!);
          const answer = row?.top?.[0];
          return (
            <li key={input.id}>
              {picture ? (
                <Picture of={picture} alt={`Input of call ${count(input.entry)}`} size="large" />
              ) : (
                <code class="numbers">
                  {input.samples[0]!.slice(0, 12)
                    .map((value) => (value === null ? 'none' : figure(value)))
                    .join('  ')}
                </code>
              )}
              <p class="small">
                <Link to={pathTo('ledger', String(input.entry))}>{count(input.entry)}</Link>{' '}
                <Text of={row?.principal} most={24} />
                {answer && (
                  <span class="muted block">
                    answered <ClassName model={input.model} label={answer[0]} />
                  </span>
                )}
              </p>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
