package autosparse.benchmarks.architecture.violations.engine.cuda;

/** Allowed here. */
abstract class UsesJcuda implements java.util.function.Supplier<jcuda.Pointer> {}
