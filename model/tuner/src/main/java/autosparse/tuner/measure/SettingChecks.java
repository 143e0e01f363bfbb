package autosparse.tuner.measure;

/** Ranges of settings; every message names the setting, its value and what was expected. */
final class SettingChecks {
  private SettingChecks() {}

  static void atLeast(String setting, long value, long least) {
    if (value < least) {
      throw new IllegalArgumentException(
          setting + " " + value + ", expected " + least + " or more");
    }
  }

  static void between(String setting, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          setting + " " + value + ", expected " + least + " to " + most);
    }
  }

  static void between(String setting, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new IllegalArgumentException(
          setting + " " + value + ", expected " + least + " to " + most);
    }
  }

  static void notBlank(String setting, String value) {
    if (value.isBlank()) {
      throw new IllegalArgumentException(setting + " is blank, expected a name");
    }
  }

  /** Paths and names travel in lines of tab-separated fields. */
  static void oneField(String setting, String value) {
    if (value.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          setting + " " + value.strip() + ", expected no control characters");
    }
  }
}
