import { render } from 'preact';
import { App } from './shell/app.tsx';
import { openRouter } from './shell/router.tsx';
import { signIn } from './shell/session.ts';
import { openTheme } from './shell/theme.ts';

openTheme();
openRouter();
void signIn();
render(<App />, document.getElementById('app')!);
