package autosparse.benchmarks.architecture.violations.elsewhere;

/** In no module. */
interface Stray {}
