package autosparse.schedule;

/** Names of axes: a letter, then letters; the parts of a split end in 0 (outer) or 1 (inner). */
final class Axis {
  private Axis() {}

  /** Whether a token can name an axis or tensor: a letter, then letters or digits; never "None". */
  static boolean isName(String token) {
    if (token.isEmpty() || token.length() > 16 || token.equals("None")) {
      return false;
    }
    for (int i = 0; i < token.length(); i++) {
      char c = token.charAt(i);
      boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      boolean digit = c >= '0' && c <= '9';
      if (!letter && (i == 0 || !digit)) {
        return false;
      }
    }
    return true;
  }

  static void requireName(String field, String token) {
    if (!isName(token)) {
      throw new IllegalArgumentException(
          InputException.fieldMessage(field, token, "a name of letters and digits"));
    }
  }

  /** The name of one part of a split axis; interned, since data sets repeat a dozen of them. */
  static String part(String axis, int index) {
    return (axis + index).intern();
  }
}
