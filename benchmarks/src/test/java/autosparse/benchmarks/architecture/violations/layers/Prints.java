package autosparse.benchmarks.architecture.violations.layers;

/** Writes where a library must not. */
final class Prints {
  private Prints() {}

  static void print() {
    System.out.println();
  }
}
