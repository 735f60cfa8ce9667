/** `npm start [-- ARGUMENT…]`: sets everything up if need be, then `glacis demo ARGUMENT…`. */
process.argv.splice(2, 0, 'scripts/demo.mjs');
await import('./run.mjs');
