package autosparse.benchmarks.architecture.violations.trainer;

import autosparse.benchmarks.architecture.violations.engine.Base;

/** Allowed here, and along the arrow. */
public final class Prints implements Base {
  private Prints() {}

  static void print() {
    System.out.println();
  }
}
