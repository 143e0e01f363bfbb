package autosparse.engine.sparse;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.util.List;

/**
 * Room on a device for the rows of one matrix at a time, of any size up to a largest: what a matrix
 * is streamed through.
 */
public final class SiteBuffer {
  private final Tensor rowPointers;
  private final Tensor columns;
  private final Tensor siteOffsets;
  private final Tensor rowOffsets;

  /**
   * @param rows most rows of a range
   * @param sites most sites of a range
   */
  public SiteBuffer(TensorScope scope, long rows, long sites) {
    rowPointers = scope.create("row pointers", DType.I64, MemoryTag.SITES, rows + 1);
    columns = scope.create("columns", DType.I32, MemoryTag.SITES, sites);
    siteOffsets = scope.create("site offsets", DType.I64, MemoryTag.SITES, 2);
    rowOffsets = scope.create("row offsets", DType.I64, MemoryTag.SITES, 2);
  }

  /**
   * The sites of a range, whose contents {@link #write} brings. Those of the range before are not
   * to be used any more.
   *
   * @throws IllegalArgumentException when the range has more rows or sites than there is room for
   */
  public Sites sites(RowRange range) {
    long sites = range.sites();
    return rowPointers
        .device()
        .sites(
            List.of(range),
            counts ->
                new Sites(
                    rowPointers.rows(0, range.rows() + 1),
                    columns.rows(0, sites),
                    siteOffsets,
                    rowOffsets,
                    new long[] {0, range.rows()},
                    new long[] {0, sites},
                    1,
                    counts));
  }

  /** Copies a range's rows to the device; may be called inside an upload. */
  public void write(Sites.Pattern rows) {
    Sites.write(rows, 0, 0, rowPointers, columns);
    siteOffsets.write(0, new long[] {0, rows.columnIndices().length}, 0, 2);
    rowOffsets.write(0, new long[] {0, rows.rows()}, 0, 2);
  }
}
