package autosparse.schedule;

/**
 * What the user gave cannot be used: a file, a line of it, or an option.
 *
 * <p>The whole project reports bad input by this one type. The message is one line that names the
 * file and line (or the option), the offending value, and what was expected; the command line
 * prints it as it stands and exits with code 2.
 */
public final class InputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Longest piece of a user's text that a message repeats, in characters. */
  private static final int MAX_QUOTED = 60;

  /**
   * Makes one from its message.
   *
   * @param message one line, without a trailing line break
   */
  public InputException(String message) {
    super(message);
  }

  /**
   * Makes one from its message and what the platform reported.
   *
   * @param message one line, without a trailing line break
   * @param cause what the platform reported
   */
  public InputException(String message, Throwable cause) {
    super(message, cause);
  }

  /** {@code file:line: message}. */
  public static InputException at(SourceLocation source, String message) {
    return new InputException(source + ": " + message);
  }

  /** {@code file:line: field 'field': value, expected expected}. */
  public static InputException field(
      SourceLocation source, String field, Object value, String expected) {
    return at(source, fieldMessage(field, value, expected));
  }

  /** {@code field 'field': value, expected expected}, for when the place is not known yet. */
  static String fieldMessage(String field, Object value, String expected) {
    return "field '" + field + "': " + quote(String.valueOf(value)) + ", expected " + expected;
  }

  /**
   * A piece of a user's text fit for a one-line message: control characters replaced, cut at
   * {@value #MAX_QUOTED} characters.
   */
  public static String quote(String text) {
    StringBuilder out = new StringBuilder();
    int end = Math.min(text.length(), MAX_QUOTED);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      out.append(Character.isISOControl(c) ? '\uFFFD' : c);
    }
    if (end < text.length()) {
      out.append("...");
    }
    return out.toString();
  }
}
