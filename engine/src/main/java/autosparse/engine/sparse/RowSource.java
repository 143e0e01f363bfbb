package autosparse.engine.sparse;

/**
 * The rows of one sparse matrix, read a range at a time: from memory, from a file, or made on the
 * fly. What is asked for is all that need ever be held; sizes are 64-bit, so a matrix may have more
 * sites than one array or one batch of {@link Sites} can.
 *
 * <p>The same range gives the same sites each time. Ranges may be read by several threads.
 */
public interface RowSource {
  /** Most sites of one range that can be read: what one Java array holds. */
  long MOST_SITES = Integer.MAX_VALUE - 8;

  /** Number of rows. */
  long rows();

  /** Number of columns. */
  long columns();

  /**
   * Number of sites in the rows before {@code row}, without reading them.
   *
   * @param row 0 to {@link #rows()}
   */
  long sitesBefore(long row);

  /**
   * Bytes of the host that the sites of one {@link #read} should take at the most, where so few can
   * be asked for; no limit for what is in memory, or costs none.
   */
  default long rangeBytes() {
    return Long.MAX_VALUE;
  }

  /** Bytes that the sites of some rows take on the host. */
  default long bytes(long firstRow, long endRow) {
    return Long.BYTES * (endRow - firstRow + 1)
        + Integer.BYTES * (sitesBefore(endRow) - sitesBefore(firstRow));
  }

  /**
   * Behind the last row that can be read together with {@code firstRow} in {@link #rangeBytes}; at
   * least the row after it.
   */
  default long rangeEnd(long firstRow) {
    if (rangeBytes() == Long.MAX_VALUE) {
      return rows();
    }
    long fits = firstRow + 1;
    long above = rows() + 1;
    while (above - fits > 1) {
      long end = fits + (above - fits) / 2;
      if (bytes(firstRow, end) <= rangeBytes()) {
        fits = end;
      } else {
        above = end;
      }
    }
    return fits;
  }

  /** Number of sites. */
  default long sites() {
    return sitesBefore(rows());
  }

  /**
   * The sites of some rows, as a pattern of their own whose first row is {@code firstRow}.
   *
   * @param endRow behind the last row
   * @throws IllegalArgumentException when the range is none, or too large for one array
   */
  Sites.Pattern read(long firstRow, long endRow);

  /**
   * Checks a range before it is read.
   *
   * @return number of its sites
   */
  default int checkRange(long firstRow, long endRow) {
    if (firstRow < 0 || endRow < firstRow || endRow > rows()) {
      throw new IllegalArgumentException(
          "rows " + firstRow + " to " + endRow + " of " + rows() + ": expected a range of them");
    }
    long sites = sitesBefore(endRow) - sitesBefore(firstRow);
    if (sites > MOST_SITES || endRow - firstRow >= MOST_SITES) {
      throw new IllegalArgumentException(
          "rows "
              + firstRow
              + " to "
              + endRow
              + " with "
              + sites
              + " sites read at once: expected at most "
              + MOST_SITES
              + " of either");
    }
    return (int) sites;
  }
}
