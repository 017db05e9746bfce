// Bundles what runs: the command line, the evaluation runtime for the isolate, the activator.
// Plain JavaScript, since it runs before anything is built.
console.error("tsos: nothing to bundle yet");
