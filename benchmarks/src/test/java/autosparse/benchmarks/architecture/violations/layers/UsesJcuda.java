package autosparse.benchmarks.architecture.violations.layers;

/** Outside of the kernels and the engine's CUDA package. */
abstract class UsesJcuda implements java.util.function.Supplier<jcuda.Pointer> {}
