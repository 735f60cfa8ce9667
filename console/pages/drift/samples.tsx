import type { Monitors } from '../../../src/gateway/console/api.ts';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { className, figure, score } from '../../parts/format.ts';
import { Picture } from '../../parts/picture.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';

/** Inputs that were drawn lately, as pictures where they are pictures. */
export function Samples({ of: { samples, classNames } }: { readonly of: Monitors }) {
  const pictures = samples.filter(({ picture }) => picture !== undefined);
  const tables = samples.filter(({ features }) => features !== undefined);
  return (
    <Card
      title="What comes in"
      lead={
        pictures.length > 0
          ? 'Inputs that were drawn by lot lately, as the monitors see them: a grid of means, never the whole picture.'
          : 'Inputs that were drawn by lot lately, as the monitors see them.'
      }
    >
      {samples.length === 0 && (
        <Empty title="Nothing was drawn yet" icon="drift">
          The monitors sketch a share of the calls; the first ones appear here.
        </Empty>
      )}
      {pictures.length > 0 && (
        <ul class="sketches">
          {pictures.slice(0, 32).map((each) => {
            const answer = each.label === undefined ? 'no answer' : className(classNames, each.label);
            return (
              <li key={each.decision}>
                <Picture of={each.picture!} alt={`Input answered ${answer}`} />
                <p>
                  <Text of={answer} most={26} />{' '}
                  {each.score !== undefined && <span class="muted">{score(each.score)}</span>}
                </p>
                <p class="muted small">
                  <Text of={each.principal} most={16} />, <Time at={each.at} />
                </p>
              </li>
            );
          })}
        </ul>
      )}
      {tables.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reached by keyboard, too.
        <section class="scroll" tabIndex={0} aria-label="Inputs, as numbers">
          <ul class="rows-of-features">
            {tables.slice(0, 16).map((each) => (
              <li key={each.decision}>
                <span class="muted small">
                  <Time at={each.at} />
                </span>
                <Text of={each.principal} most={20} />
                <code>
                  {(each.features ?? []).slice(0, 12).map(figure).join('  ')}
                  {(each.features?.length ?? 0) > 12 && ' …'}
                </code>
                <span>{each.label === undefined ? '' : className(classNames, each.label)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </Card>
  );
}
