package autosparse.benchmarks;

import autosparse.schedule.InputException;
import autosparse.tuner.measure.Toolchain;
import org.junit.jupiter.api.Assumptions;

/** Tests that compile C are skipped, with the reason, where there is no gcc. */
final class CompilerTests {
  private CompilerTests() {}

  static void require() {
    try {
      Toolchain.find("gcc");
    } catch (InputException missing) {
      System.err.println("skipped: " + missing.getMessage());
      Assumptions.abort("skipped: " + missing.getMessage());
    }
  }
}
