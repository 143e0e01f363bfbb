package autosparse.costmodel.memory;

import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import autosparse.schedule.CsrFile;

/**
 * A {@code .csr} file whose rows are read from disk as they are asked for.
 *
 * @param file stays open as long as this is used; not owned
 */
public record CsrFileRows(CsrFile file) implements RowSource {
  @Override
  public long rows() {
    return file.rows();
  }

  @Override
  public long columns() {
    return file.cols();
  }

  @Override
  public long sitesBefore(long row) {
    return file.rowStart(Math.toIntExact(row));
  }

  @Override
  public Sites.Pattern read(long firstRow, long endRow) {
    checkRange(firstRow, endRow);
    CsrFile.Rows read = file.read((int) firstRow, (int) endRow);
    return new Sites.Pattern(endRow - firstRow, file.cols(), read.rowPointers(), read.columns());
  }
}
