package autosparse.schedule;

/**
 * The words of one line, separated by single spaces, read one after the other; each reading names
 * the field it wants, for the message when the word does not fit.
 */
final class Tokens {
  /** No list in a schedule is near this long; a mangled count must not allocate. */
  private static final int MAX_COUNT = 64;

  private final String line;
  private final SourceLocation source;
  private int position;

  Tokens(String line, SourceLocation source) {
    this.line = line;
    this.source = source;
  }

  boolean hasNext() {
    return position <= line.length() && !line.isEmpty();
  }

  /** The next word; an {@link InputException} where the line has ended or two spaces meet. */
  String next(String field) {
    if (!hasNext()) {
      throw InputException.at(source, "field '" + field + "': missing, the line ends before it");
    }
    int end = line.indexOf(' ', position);
    if (end < 0) {
      end = line.length();
    }
    if (end == position) {
      throw wrong(field, "", "a word; words are separated by single spaces");
    }
    String token = line.substring(position, end);
    position = end + 1;
    return token;
  }

  void end(String lastField) {
    if (hasNext()) {
      throw wrong("end of line", line.substring(position), "nothing after the " + lastField);
    }
  }

  String name(String field) {
    String token = next(field);
    if (!Axis.isName(token)) {
      throw wrong(field, token, "a name of letters and digits");
    }
    return token.intern();
  }

  void literal(String field, String expected) {
    String token = next(field);
    if (!token.equals(expected)) {
      throw wrong(field, token, expected);
    }
  }

  int count(String field) {
    int count = number("number of " + field, 0);
    if (count > MAX_COUNT) {
      throw wrong("number of " + field, count, "at most " + MAX_COUNT);
    }
    return count;
  }

  /** A plain decimal integer from {@code least} to 2^31 - 1, as it would be printed. */
  int number(String field, int least) {
    String token = next(field);
    long value = 0;
    boolean plain = token.length() <= 10 && (token.length() == 1 || token.charAt(0) != '0');
    for (int i = 0; plain && i < token.length(); i++) {
      char c = token.charAt(i);
      plain = c >= '0' && c <= '9';
      value = 10 * value + (c - '0');
    }
    if (!plain || value < least || value > Integer.MAX_VALUE) {
      throw wrong(field, token, "an integer of " + least + " or more");
    }
    return (int) value;
  }

  InputException wrong(String field, Object value, String expected) {
    return InputException.field(source, field, value, expected);
  }
}
