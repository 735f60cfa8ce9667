import type { PolicyView } from '../../../src/gateway/console/api.ts';
import { Card } from '../../parts/card.tsx';
import { Digest } from '../../parts/digest.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Raw } from '../../parts/raw.tsx';

/** The configuration file as it lies there. */
export function File({ policy: { text, digest } }: { readonly policy: PolicyView }) {
  if (text === undefined)
    return (
      <Card>
        <Empty title="There is no configuration file" icon="policy">
          The gateway was started without one. <code>glacis serve --config glacis.yaml</code> takes one.
        </Empty>
      </Card>
    );
  return (
    <Card
      title="glacis.yaml"
      lead="As it lies there now; what is in force is on the other tabs."
      side={<Digest of={digest} />}
    >
      <Raw of={text} label="The configuration file" tall />
    </Card>
  );
}
