package autosparse.schedule;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of matrices and what they say. */
public final class MatrixNames {
  /** AutoSparse's and WACO's suffix for a resized pattern: blocks of R x C, then a counter. */
  private static final Pattern RESIZED = Pattern.compile("(.+)_[0-9]+x[0-9]+_[0-9]+");

  private MatrixNames() {}

  /**
   * The base matrix: the name up to {@code _RxC_n} ({@code nemspmm1_16x4_0} gives {@code
   * nemspmm1}), or the whole name. Matrices of one base resemble each other, so a split must not
   * part them.
   */
  public static String base(String name) {
    Matcher matcher = RESIZED.matcher(name);
    return matcher.matches() ? matcher.group(1) : name;
  }
}
