import { useState } from 'preact/hooks';
import type { LiveEvent } from '../../../src/gateway/console/api.ts';
import { useLive } from '../../data/live.ts';
import { figure, span } from '../../parts/format.ts';
import { Sparkline } from '../../parts/sparkline.tsx';
import { Text } from '../../parts/text.tsx';

type Beat = Extract<LiveEvent, { readonly kind: 'traffic' }>;
/** Seconds of the line beside the figures. */
const BEATS = 120;

/** The last seconds, as figures and a line. */
export function Now({ model }: { readonly model: string }) {
  const [beats, setBeats] = useState<readonly Beat[]>([]);
  useLive((event) => {
    if (event.kind === 'traffic') setBeats((before) => [...before, event].slice(-BEATS));
  });
  const rate = ({ answered, refused, models }: Beat) =>
    model === '' ? answered + refused : (models[model] ?? 0);
  const last = beats.slice(-5);
  const mean = last.reduce((sum, beat) => sum + rate(beat), 0) / Math.max(1, last.length);
  const refused = last.reduce((sum, beat) => sum + beat.refused, 0) / Math.max(1, last.length);
  const newest = beats.at(-1);
  return (
    <div class="opening traffic-now">
      <div>
        <h1 tabIndex={-1}>
          {newest === undefined ? (
            'Traffic'
          ) : (
            <>
              {' '}
              {figure(Math.round(mean * 10) / 10)} requests a second
              {model !== '' && (
                <>
                  {' '}
                  for <Text of={model} most={30} />
                </>
              )}
            </>
          )}
        </h1>
        <p class="story">
          {newest === undefined ? (
            'Figures of each second appear here as they happen.'
          ) : (
            <>
              {figure(Math.round(refused * 10) / 10)} refused a second; half of the answers within{' '}
              <b>{newest.p50 === undefined ? '–' : span(newest.p50)}</b>, 99 of 100 within{' '}
              <b>{newest.p99 === undefined ? '–' : span(newest.p99)}</b>.
            </>
          )}
        </p>
      </div>
      {beats.length > 1 && (
        <div class="beat">
          <Sparkline values={beats.map(rate)} label="Requests a second, the last two minutes" />
        </div>
      )}
    </div>
  );
}
