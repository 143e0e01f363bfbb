package autosparse.tuner.generate;

import autosparse.engine.sparse.Sites;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.PatternCounts;

/**
 * A generated matrix whose rows are made each time they are read, for one that does not fit memory.
 */
public final class GeneratedPattern implements MatrixPattern {
  private final String name;
  private final GeneratedRows rows;
  private final long rangeBytes;
  private final PatternCounts counts = new PatternCounts(this);

  /**
   * @param rangeBytes see {@link MatrixPattern#rangeBytes}
   */
  public GeneratedPattern(String name, GeneratedRows rows, long rangeBytes) {
    this.name = name;
    this.rows = rows;
    this.rangeBytes = rangeBytes;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int rows() {
    return Math.toIntExact(rows.rows());
  }

  @Override
  public int cols() {
    return Math.toIntExact(rows.columns());
  }

  @Override
  public long nnz() {
    return rows.sites();
  }

  @Override
  public long rowStart(int row) {
    return rows.sitesBefore(row);
  }

  @Override
  public Rows read(int from, int to) {
    Sites.Pattern read = rows.read(from, to);
    return new Rows(read.rowPointers(), read.columnIndices());
  }

  @Override
  public PatternCounts counts() {
    return counts;
  }

  @Override
  public long rangeBytes() {
    return rangeBytes;
  }

  /** Nothing to be freed. */
  @Override
  public void close() {}

  @Override
  public String toString() {
    return name + " " + rows;
  }
}
