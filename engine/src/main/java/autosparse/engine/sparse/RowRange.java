package autosparse.engine.sparse;

/**
 * Some rows of a matrix, not read yet.
 *
 * @param first first row
 * @param end behind the last row
 * @param unit coarsest stride that a level of these rows will have: rows whose columns are another
 *     range's, all shifted by one multiple of it, have as many sites on every level and as many
 *     neighbours. {@link #UNLIMITED} where nobody says
 */
public record RowRange(RowSource source, long first, long end, long unit) {
  /** Any stride. */
  public static final long UNLIMITED = 1L << 62;

  /** All rows of a matrix. */
  public static RowRange whole(RowSource source) {
    return new RowRange(source, 0, source.rows(), UNLIMITED);
  }

  /** Number of rows. */
  public long rows() {
    return end - first;
  }

  /** Number of sites. */
  public long sites() {
    return source.sitesBefore(end) - source.sitesBefore(first);
  }

  /** Reads them. */
  public Sites.Pattern read() {
    return source.read(first, end);
  }
}
