package autosparse.tuner.generate;

import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import autosparse.schedule.HeapSize;
import autosparse.schedule.SparsityPattern;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A generated matrix whose rows are made when they are read, by all cores: nothing of it is kept
 * but how many sites lie before each block of rows, so it may have more than an array can hold.
 */
public final class GeneratedRows implements RowSource {
  /** Rows of a block: every strip of rows starts and ends at a multiple of it. */
  private static final int BLOCK = 64;

  /** Blocks that one thread makes in one piece. */
  private static final int BLOCKS_PER_PIECE = 64;

  private static final int PIECE = BLOCK * BLOCKS_PER_PIECE;

  private final MatrixRows rows;

  /** Sites before each block, then all. */
  private final long[] sitesBefore;

  private GeneratedRows(MatrixRows rows) {
    this.rows = rows;
    int blocks = (int) ((rows.rows() + BLOCK - 1L) / BLOCK);
    this.sitesBefore = new long[blocks + 1];
    pieces(0, rows.rows())
        .forEach(
            piece ->
                rows.forEachRow(
                    piece * PIECE,
                    end(piece, rows.rows()),
                    (row, columns, count) -> sitesBefore[row / BLOCK + 1] += count));
    Arrays.parallelPrefix(sitesBefore, Long::sum);
  }

  /** Goes through all rows once to count them. */
  public static GeneratedRows of(MatrixRows rows) {
    return new GeneratedRows(rows);
  }

  /** Bytes of heap that so many rows take when none is read. */
  public static long hostBytes(long rows) {
    return HeapSize.array((rows + BLOCK - 1) / BLOCK + 1, Long.BYTES);
  }

  /**
   * The whole pattern in memory.
   *
   * @throws IllegalArgumentException if it has more nonzeros than an array can hold
   */
  public SparsityPattern toPattern(String name) {
    return rows.toPattern(name);
  }

  /** Numbers of the pieces that a range of rows touches. */
  private static IntStream pieces(long from, long to) {
    return IntStream.range((int) (from / PIECE), (int) ((to + PIECE - 1) / PIECE)).parallel();
  }

  private static int end(int piece, long to) {
    return (int) Math.min(to, (piece + 1L) * PIECE);
  }

  @Override
  public long rows() {
    return rows.rows();
  }

  @Override
  public long columns() {
    return rows.cols();
  }

  @Override
  public long sitesBefore(long row) {
    int block = (int) ((row + BLOCK - 1) / BLOCK);
    if (row % BLOCK == 0 || row == rows()) {
      return sitesBefore[block];
    }
    long[] sites = {sitesBefore[block - 1]};
    rows.forEachRow((block - 1) * BLOCK, (int) row, (number, columns, count) -> sites[0] += count);
    return sites[0];
  }

  @Override
  public Sites.Pattern read(long firstRow, long endRow) {
    int sites = checkRange(firstRow, endRow);
    long[] pointers = new long[(int) (endRow - firstRow) + 1];
    int[] all = new int[sites];
    long before = sitesBefore(firstRow);
    pieces(firstRow, endRow)
        .forEach(
            piece -> {
              int from = (int) Math.max(firstRow, (long) piece * PIECE);
              int[] at = {(int) (sitesBefore(from) - before)};
              rows.forEachRow(
                  from,
                  end(piece, endRow),
                  (row, columns, count) -> {
                    System.arraycopy(columns, 0, all, at[0], count);
                    at[0] += count;
                    pointers[(int) (row - firstRow) + 1] = at[0];
                  });
            });
    return new Sites.Pattern(endRow - firstRow, columns(), pointers, all);
  }

  @Override
  public String toString() {
    return rows() + " x " + columns() + ", " + sites() + " sites made on the fly";
  }
}
