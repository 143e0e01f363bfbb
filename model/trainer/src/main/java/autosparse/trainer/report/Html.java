package autosparse.trainer.report;

import java.util.Locale;

/** Text and figures as they may stand in HTML and SVG. */
final class Html {
  private Html() {}

  static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> {
                  boolean forbidden =
                      (c < ' ' && c != '\n' && c != '\t')
                          || (c >= 0x7f && c < 0xa0)
                          || (c >= 0xd800 && c < 0xe000);
                  out.appendCodePoint(forbidden ? 0xfffd : c);
                }
              }
            });
    return out.toString();
  }

  /** Three decimals; a dash for what is no number. */
  static String share(double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%.3f", value) : "–";
  }

  /** About four significant digits. */
  static String number(double value) {
    if (!Double.isFinite(value)) {
      return "–";
    }
    double size = Math.abs(value);
    if (size != 0 && (size < 1e-3 || size >= 1e6)) {
      return String.format(Locale.ROOT, "%.2e", value);
    }
    int decimals = size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.1 ? 3 : 4;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  static String bytes(long bytes) {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  }

  static String count(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  /** A coordinate in a drawing: one decimal is a tenth of a pixel. */
  static String at(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
