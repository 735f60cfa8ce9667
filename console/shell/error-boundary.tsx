import { Component, type ComponentChildren } from 'preact';
import { Text } from '../parts/text.tsx';

interface Props {
  readonly where: string;
  readonly children: ComponentChildren;
}

/** A mistake in one part leaves the others standing, and says so. A class because Preact asks for one here. */
export class ErrorBoundary extends Component<Props, { readonly thrown: unknown }> {
  override state = { thrown: undefined as unknown };

  static override getDerivedStateFromError(thrown: unknown) {
    return { thrown };
  }

  override render({ where, children }: Props) {
    const { thrown } = this.state;
    if (thrown === undefined) return children;
    return (
      <section class="card broken" role="alert">
        <h2>Something in {where} broke</h2>
        <p class="muted">
          What is served does not depend on this page: it goes on. Details for whoever mends it:
        </p>
        <pre>
          <Text of={thrown instanceof Error ? thrown.message : String(thrown)} most={500} />
        </pre>
        <button type="button" class="button main" onClick={() => this.setState({ thrown: undefined })}>
          Try again
        </button>
      </section>
    );
  }
}
