package autosparse.benchmarks.architecture.violations.costmodel;

import autosparse.benchmarks.architecture.violations.trainer.Prints;

/** Against the arrow. */
abstract class UsesTrainer implements java.util.function.Supplier<Prints> {}
