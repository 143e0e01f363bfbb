package autosparse.benchmarks.architecture.violations.layers;

import autosparse.benchmarks.architecture.violations.engine.Base;

/** Along the arrow. */
public abstract class UsesEngine implements Base {}
