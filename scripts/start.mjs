/** `npm start [-- ARGUMENT…]`: sets everything up if need be, then `glacis demo ARGUMENT…`. */
process.argv.splice(2, 0, 'bin/glacis.mjs', 'demo');
await import('./run.mjs');
