package autosparse.benchmarks.architecture.violations.engine;

/** Something that others may use. */
public interface Base {}
