import { useStore } from '../data/store.ts';
import { Dialog } from '../parts/dialog.tsx';
import { SHORTCUTS } from './keys.ts';
import { Drawer } from './navigation.tsx';
import { overlay } from './overlay.ts';
import { Palette } from './palette.tsx';
import { ROUTES } from './routes.ts';

/** The palette, the list of keys, the navigation of small screens. */
export function Overlays() {
  const open = useStore(overlay);
  const close = (): void => overlay.set(undefined);
  if (open === 'palette') return <Palette onClose={close} />;
  if (open === 'drawer') return <Drawer onClose={close} />;
  if (open !== 'keys') return null;
  return (
    <Dialog title="Keys" onClose={close} narrow>
      <dl class="keys">
        {SHORTCUTS.map(([keys, about]) => (
          <Key key={keys} keys={keys} about={about} />
        ))}
        {ROUTES.map(({ key, title }) => (
          <Key key={title} keys={`g ${key}`} about={title} />
        ))}
      </dl>
    </Dialog>
  );
}

function Key({ keys, about }: { readonly keys: string; readonly about: string }) {
  return (
    <div>
      <dt>
        {keys.split(' ').map((each) => (
          <kbd key={each}>{each}</kbd>
        ))}
      </dt>
      <dd>{about}</dd>
    </div>
  );
}
