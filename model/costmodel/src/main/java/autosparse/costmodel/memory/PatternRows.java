package autosparse.costmodel.memory;

import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import autosparse.schedule.MatrixPattern;

/**
 * A matrix's pattern as the engine reads it: a copy of rows in memory, or rows from disk.
 *
 * @param pattern stays open as long as this is used; not owned
 */
public record PatternRows(MatrixPattern pattern) implements RowSource {
  @Override
  public long rows() {
    return pattern.rows();
  }

  @Override
  public long columns() {
    return pattern.cols();
  }

  @Override
  public long sitesBefore(long row) {
    return pattern.rowStart(Math.toIntExact(row));
  }

  @Override
  public long rangeBytes() {
    return pattern.rangeBytes();
  }

  @Override
  public Sites.Pattern read(long firstRow, long endRow) {
    checkRange(firstRow, endRow);
    MatrixPattern.Rows read = pattern.read((int) firstRow, (int) endRow);
    return new Sites.Pattern(endRow - firstRow, pattern.cols(), read.rowPointers(), read.columns());
  }
}
