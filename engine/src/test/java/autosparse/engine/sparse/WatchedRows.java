package autosparse.engine.sparse;

/**
 * Hands on the rows of a pattern and tells what is read of them.
 *
 * @param rangeBytes see {@link RowSource#rangeBytes}
 * @param watcher told of each read
 */
public record WatchedRows(Sites.Pattern pattern, long rangeBytes, Watcher watcher)
    implements RowSource {
  /** Is told which rows are read, as {@link RowSource#read} is. */
  @FunctionalInterface
  public interface Watcher {
    /** Rows {@code firstRow} to {@code endRow} are read. */
    void reads(long firstRow, long endRow);
  }

  @Override
  public long rows() {
    return pattern.rows();
  }

  @Override
  public long columns() {
    return pattern.columns();
  }

  @Override
  public long sitesBefore(long row) {
    return pattern.sitesBefore(row);
  }

  @Override
  public Sites.Pattern read(long firstRow, long endRow) {
    watcher.reads(firstRow, endRow);
    return pattern.read(firstRow, endRow);
  }
}
