import { useState } from 'preact/hooks';
import type { OrderPreview } from '../../../src/gateway/console/api.ts';
import type { OrderWish } from '../../../src/incident/order.ts';
import { tell } from '../../data/ask.ts';
import { useMay } from '../../data/session.ts';
import { failed } from '../../shell/toast.tsx';
import { Button } from '../button.tsx';
import { Dialog } from '../dialog.tsx';
import { type Draft, draftFrom, wishFrom } from './draft.ts';
import { DraftFields } from './fields.tsx';
import { Preview } from './preview.tsx';

/** A button, for who may, with which any measure is put together, looked at and taken. `about`: what is known where it stands. */
export function TakeMeasure({
  about = {},
  title = 'Take a measure',
  small = false,
  describes,
}: {
  readonly about?: Partial<Draft>;
  readonly title?: string;
  readonly small?: boolean;
  /** What it acts on, where several buttons have the same title. */
  readonly describes?: string;
}) {
  const may = useMay('incident.act');
  const [asking, setAsking] = useState(false);
  if (!may) return null;
  return (
    <>
      <Button
        small={small}
        icon="shield"
        {...(describes === undefined ? {} : { about: describes })}
        onPress={() => setAsking(true)}
      >
        {title}
      </Button>
      {asking && <Taking about={about} onClose={() => setAsking(false)} />}
    </>
  );
}

/** First what is to be done, then what would come of it. */
function Taking({ about, onClose }: { readonly about: Partial<Draft>; readonly onClose: () => void }) {
  const [draft, setDraft] = useState(() => draftFrom(about));
  const [seen, setSeen] = useState<{ readonly wish: OrderWish; readonly preview: OrderPreview }>();
  const [busy, setBusy] = useState(false);
  const isReady = wishFrom(draft, Date.now()) !== undefined;
  const look = async (): Promise<void> => {
    const wish = wishFrom(draft, Date.now());
    if (wish === undefined || busy) return;
    setBusy(true);
    try {
      setSeen({ wish, preview: await tell<OrderPreview>('/api/orders/preview', { wish }) });
    } catch (thrown) {
      failed(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={seen === undefined ? 'Take a measure' : 'What it will do'} onClose={onClose}>
      {seen === undefined ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void look();
          }}
        >
          <DraftFields draft={draft} fixedCase={about.case} onChange={setDraft} />
          <div class="actions end">
            <Button onPress={onClose}>Cancel</Button>
            <button type="submit" class="button main" disabled={!isReady || busy}>
              See what it will do
            </button>
          </div>
        </form>
      ) : (
        <Preview {...seen} onBack={() => setSeen(undefined)} onDone={onClose} />
      )}
    </Dialog>
  );
}
