package autosparse.engine.sparse;

import java.util.ArrayList;
import java.util.List;

/**
 * Some rows of a matrix, not read yet.
 *
 * @param first first row
 * @param end behind the last row
 * @param unit coarsest stride that a level of these rows will have: rows whose columns are another
 *     range's, all shifted by one multiple of it, have as many sites on every level and as many
 *     neighbours. {@link #UNLIMITED} where nobody says
 */
public record RowRange(RowSource source, long first, long end, long unit) implements RowSource {
  /** Any stride. */
  public static final long UNLIMITED = 1L << 62;

  /** All rows of a matrix. */
  public static RowRange whole(RowSource source) {
    return new RowRange(source, 0, source.rows(), UNLIMITED);
  }

  /** The range in parts that the source can have read, in order; one where it is small. */
  public List<RowRange> parts() {
    List<RowRange> parts = new ArrayList<>();
    long from = first;
    do {
      long to = Math.min(end, from < source.rows() ? source.rangeEnd(from) : end);
      parts.add(new RowRange(source, from, to, unit));
      from = to;
    } while (from < end);
    return parts;
  }

  @Override
  public long rows() {
    return end - first;
  }

  @Override
  public long columns() {
    return source.columns();
  }

  @Override
  public long sitesBefore(long row) {
    return source.sitesBefore(first + row) - source.sitesBefore(first);
  }

  @Override
  public long rangeBytes() {
    return source.rangeBytes();
  }

  @Override
  public Sites.Pattern read(long firstRow, long endRow) {
    return source.read(first + firstRow, first + endRow);
  }

  /** Reads them all. */
  public Sites.Pattern read() {
    return source.read(first, end);
  }
}
