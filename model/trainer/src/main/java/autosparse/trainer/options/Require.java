package autosparse.trainer.options;

import autosparse.schedule.InputException;

/** Checks of option values. */
final class Require {
  private Require() {}

  static void that(boolean condition, String option, Object value, String expected) {
    if (!condition) {
      throw new InputException(
          option + ": " + InputException.quote(String.valueOf(value)) + ", expected " + expected);
    }
  }

  static void positive(String option, long value) {
    that(value > 0, option, value, "a whole number above 0");
  }

  static void notNegative(String option, double value) {
    that(value >= 0 && Double.isFinite(value), option, value, "a number from 0 up");
  }
}
