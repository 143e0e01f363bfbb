package autosparse.benchmarks.architecture.violations.layers;

/** Keeps state between its users. */
final class Counts {
  static int count;

  private Counts() {}
}
