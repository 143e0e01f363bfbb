package autosparse.tuner.generate;

import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import autosparse.schedule.HeapSize;
import autosparse.schedule.SparsityPattern;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * A generated matrix whose rows are made when they are read, by all cores: nothing of it is kept
 * but how many sites lie before each block of rows, so it may have more than an array can hold.
 */
public final class GeneratedRows implements RowSource {
  /** Rows of a block: every strip of rows starts and ends at a multiple of it. */
  private static final int BLOCK = 64;

  /** Blocks that one thread makes in one piece, at the most. */
  private static final int BLOCKS_PER_PIECE = 64;

  /** Pieces of a range of few blocks, whose rows may be long, if it has as many. */
  private static final int PIECES = 256;

  private final MatrixRows rows;

  /** Sites before each block, then all. */
  private final long[] sitesBefore;

  private GeneratedRows(MatrixRows rows) {
    this.rows = rows;
    int blocks = (int) ((rows.rows() + BLOCK - 1L) / BLOCK);
    this.sitesBefore = new long[blocks + 1];
    forEachPiece(
        0,
        rows.rows(),
        (from, to) ->
            rows.forEachRow(
                from, to, (row, columns, count) -> sitesBefore[row / BLOCK + 1] += count));
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

  /** Makes the rows of a piece. */
  @FunctionalInterface
  private interface Piece {
    void make(int from, int to);
  }

  /** Shares a range of rows out among the cores; pieces begin at blocks, but for the first. */
  private static void forEachPiece(long from, long to, Piece piece) {
    long blocks = (to - from) / BLOCK;
    long size = BLOCK * Math.max(1, Math.min(BLOCKS_PER_PIECE, blocks / PIECES));
    LongStream.range(from / size, (to + size - 1) / size)
        .parallel()
        .forEach(
            p -> piece.make((int) Math.max(from, p * size), (int) Math.min(to, (p + 1) * size)));
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
    forEachPiece(
        firstRow,
        endRow,
        (from, to) -> {
          int[] at = {(int) (sitesBefore(from) - before)};
          rows.forEachRow(
              from,
              to,
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
