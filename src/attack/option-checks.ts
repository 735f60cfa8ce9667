/** Not only attacks have options. */
export { choiceOf, numberIn, wholeFrom } from '../core/option-checks.ts';
