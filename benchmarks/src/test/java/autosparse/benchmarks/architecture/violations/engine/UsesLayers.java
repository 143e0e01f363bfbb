package autosparse.benchmarks.architecture.violations.engine;

import autosparse.benchmarks.architecture.violations.layers.UsesEngine;

/** Against the arrow, and a cycle together with {@link UsesEngine}. */
abstract class UsesLayers implements java.util.function.Supplier<UsesEngine> {}
