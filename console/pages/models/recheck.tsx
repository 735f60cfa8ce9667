import { tell } from '../../data/ask.ts';
import { touch } from '../../data/query.ts';
import { useMay } from '../../data/session.ts';
import { Button } from '../../parts/button.tsx';
import { said } from '../../shell/toast.tsx';

/** Asks registries and the list of revoked digests again, for who may. */
export function Recheck() {
  if (!useMay('models.load')) return null;
  return (
    <Button
      icon="refresh"
      onPress={async () => {
        await tell('/api/models/recheck');
        touch('/api/models', '/api/overview');
        said('Asked registries and the list of revoked digests again.');
      }}
    >
      Check again
    </Button>
  );
}
