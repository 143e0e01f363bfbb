package autosparse.engine.sparse;

import autosparse.engine.DType;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.util.Arrays;

/**
 * The active coordinates of one level of a batch of sparse matrices: sorted CSR over lattice rows.
 *
 * <p>Matrices of a batch are stacked: matrix b owns the lattice rows {@code firstRow(b)} to {@code
 * firstRow(b+1)}. A coordinate is (lattice row within its matrix, column), in units of the level's
 * {@link #stride()}. Sites are numbered in row-major order, so those of one matrix are adjacent.
 *
 * <p>Source of the layout: a sorted 2-D pattern IS its own index, so neighbours need no hash table.
 */
public final class Sites {
  private final Tensor rowPointers;
  private final Tensor columns;
  private final Tensor siteOffsets;
  private final Tensor rowOffsets;
  private final long[] firstRows;
  private final long[] firstSites;
  private final long stride;
  private final LevelCounts counts;

  /**
   * @param rowPointers I64 [rows + 1]
   * @param columns I32 [count], ascending within a row
   * @param siteOffsets I64 [B+1], equal to {@code firstSites}, on the device
   * @param rowOffsets I64 [B+1], equal to {@code firstRows}, on the device
   * @param firstRows [B+1] first lattice row of each matrix, then the number of rows
   * @param firstSites [B+1] first site of each matrix, then the number of sites
   * @param stride original coordinates per lattice step
   * @param counts what is known of this level
   */
  public Sites(
      Tensor rowPointers,
      Tensor columns,
      Tensor siteOffsets,
      Tensor rowOffsets,
      long[] firstRows,
      long[] firstSites,
      long stride,
      LevelCounts counts) {
    if (columns.elements() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          columns.elements() + " sites in one batch: expected at most 2^31 - 1");
    }
    this.rowPointers = rowPointers;
    this.columns = columns;
    this.siteOffsets = siteOffsets;
    this.rowOffsets = rowOffsets;
    this.firstRows = firstRows.clone();
    this.firstSites = firstSites.clone();
    this.stride = stride;
    this.counts = counts;
  }

  /** One matrix of a batch on the host: CSR with sorted columns and no duplicates. */
  public record Pattern(long rows, long columns, long[] rowPointers, int[] columnIndices)
      implements RowSource {
    @Override
    public long sitesBefore(long row) {
      return rowPointers[Math.toIntExact(row)];
    }

    @Override
    public Pattern read(long firstRow, long endRow) {
      int sites = checkRange(firstRow, endRow);
      if (firstRow == 0 && endRow == rows) {
        return this;
      }
      int first = (int) firstRow;
      long start = rowPointers[first];
      long[] pointers = Arrays.copyOfRange(rowPointers, first, (int) endRow + 1);
      for (int row = 0; row < pointers.length; row++) {
        pointers[row] -= start;
      }
      return new Pattern(
          endRow - firstRow,
          columns,
          pointers,
          Arrays.copyOfRange(columnIndices, (int) start, (int) start + sites));
    }
  }

  /** Copies a batch of matrices to the scope's device; a planning device counts them instead. */
  public static Sites of(TensorScope scope, RowSource... batch) {
    long[] firstRows = new long[batch.length + 1];
    long[] firstSites = new long[batch.length + 1];
    for (int b = 0; b < batch.length; b++) {
      firstRows[b + 1] = firstRows[b] + batch[b].rows();
      firstSites[b + 1] = firstSites[b] + batch[b].sites();
    }
    long rows = firstRows[batch.length];
    Tensor pointers = scope.create("row pointers", DType.I64, MemoryTag.SITES, rows + 1);
    Tensor columns = scope.create("columns", DType.I32, MemoryTag.SITES, firstSites[batch.length]);
    boolean planned = scope.device() instanceof PlanningDevice;
    for (int b = 0; b < batch.length && !planned; b++) {
      for (RowRange part : RowRange.whole(batch[b]).parts()) {
        long site = firstSites[b] + batch[b].sitesBefore(part.first());
        write(part.read(), firstRows[b] + part.first(), site, pointers, columns);
      }
    }
    if (batch.length == 0) {
      pointers.write(0, new long[1], 0, 1);
    }
    Tensor offsets = scope.longs("site offsets", MemoryTag.SITES, firstSites);
    Tensor rowOffsets = scope.longs("row offsets", MemoryTag.SITES, firstRows);
    return scope
        .device()
        .sites(
            Arrays.stream(batch).map(RowRange::whole).toList(),
            counts ->
                new Sites(
                    pointers, columns, offsets, rowOffsets, firstRows, firstSites, 1, counts));
  }

  /** Copies one matrix behind others. */
  static void write(
      Pattern pattern, long firstRow, long firstSite, Tensor rowPointers, Tensor columns) {
    long[] pointers = pattern.rowPointers();
    if (firstSite > 0) {
      pointers = Arrays.stream(pointers).map(p -> p + firstSite).toArray();
    }
    rowPointers.write(firstRow, pointers, 0, pointers.length);
    int[] indices = pattern.columnIndices();
    columns.write(firstSite, indices, 0, indices.length);
  }

  /** I64 [rows + 1]: the sites of lattice row r are rowPointers[r] to rowPointers[r + 1]. */
  public Tensor rowPointers() {
    return rowPointers;
  }

  /** I32 [count]: columns, rising within a row. */
  public Tensor columns() {
    return columns;
  }

  /** I64 [B+1]: sites of matrix b are siteOffsets[b] to siteOffsets[b+1]. */
  public Tensor siteOffsets() {
    return siteOffsets;
  }

  /** I64 [B+1]: lattice rows of matrix b are rowOffsets[b] to rowOffsets[b+1]. */
  public Tensor rowOffsets() {
    return rowOffsets;
  }

  /** Number of sites of all matrices. */
  public long count() {
    return firstSites[firstSites.length - 1];
  }

  /** Number of sites of matrix b. */
  public long count(int b) {
    return firstSites[b + 1] - firstSites[b];
  }

  /** Number of matrices. */
  public int batch() {
    return firstRows.length - 1;
  }

  /** Number of lattice rows of all matrices. */
  public long rows() {
    return firstRows[firstRows.length - 1];
  }

  /** First lattice row of matrix b; of b = {@link #batch}, the number of all rows. */
  public long firstRow(int b) {
    return firstRows[b];
  }

  /**
   * First lattice row of each matrix one level up, where a row stands for {@code stride} of these,
   * then the number of rows there: [B+1].
   */
  public long[] coarserRows(int stride) {
    long[] coarse = new long[firstRows.length];
    for (int b = 0; b < batch(); b++) {
      long rows = firstRows[b + 1] - firstRows[b];
      coarse[b + 1] = coarse[b] + (rows + stride - 1) / stride;
    }
    return coarse;
  }

  /** First site of matrix b; of b = {@link #batch}, the number of all sites. */
  public long firstSite(int b) {
    return firstSites[b];
  }

  /** Rows and columns of the matrices that one row and column of the lattice stands for. */
  public long stride() {
    return stride;
  }

  /** What is known of this level's numbers. */
  public LevelCounts counts() {
    return counts;
  }

  @Override
  public String toString() {
    return count() + " sites of " + batch() + " matrices at stride " + stride;
  }
}
