package autosparse.kernels;

import java.util.Map;

/**
 * Launches the kernels of {@code embedding.cu}. Arguments are device addresses; tables and rows
 * have the type given.
 */
public final class EmbeddingKernels {
  private static final String FAMILY = "embedding";
  private static final int THREADS = 256;
  private static final int WARPS = 8;
  private static final int LANES = 32;
  private static final int SCAN_THREADS = 1024;
  private static final int KEYS_PER_BLOCK = 2048;
  private static final int DIGIT_BITS = 8;
  private static final int DIGITS = 1 << DIGIT_BITS;

  /**
   * Mean length of a run from which on a whole block adds a part of it; the longest is many times
   * as long where an index is as skewed as that of tokens.
   */
  private static final long LONG_RUN = 8;

  /** Rows of a part of a long run. */
  private static final long PART = 128;

  private static final long MOST_SLICES = 64;

  /** Rows of a table whose indices are compared with each of them rather than sorted. */
  private static final int SMALL_TABLE = 512;

  /** Indices of one slice of them. */
  private static final long SLICE = 256;

  private static final long MOST_GRID_Y = 65535;

  /** The entries of one storage type. */
  private record Entries(Kernel gather, Kernel addMatches, Kernel sumRuns, Kernel addSlices) {
    static Entries of(CudaContext context, Storage type) {
      return new Entries(
          context.kernel(FAMILY, type.entry("gather")),
          context.kernel(FAMILY, type.entry("add_matches")),
          context.kernel(FAMILY, type.entry("sum_runs")),
          context.kernel(FAMILY, type.entry("add_slices")));
    }
  }

  private final Map<Storage, Entries> entries;
  private final Kernel count;
  private final Kernel scan;
  private final Kernel scatter;
  private final Kernel findRuns;
  private final int mostBlocks;

  public EmbeddingKernels(CudaContext context) {
    entries = Storage.each(type -> Entries.of(context, type));
    count = context.kernel(FAMILY, "sort_count");
    scan = context.kernel(FAMILY, "sort_scan");
    scatter = context.kernel(FAMILY, "sort_scatter");
    findRuns = context.kernel(FAMILY, "find_runs");
    mostBlocks = Grids.resident(context.gpu(), THREADS);
  }

  /**
   * y[n] = table[index[n]]; NaN where the index is outside the table.
   *
   * @param table [tableRows, columns]
   * @param index I32 [rows]
   */
  public void gather(
      Storage type, long table, long index, long y, long rows, int tableRows, int columns) {
    Kernel gather = entries.get(type).gather;
    gather.begin().pointer(table).pointer(index).pointer(y);
    gather.int64(rows).int32(tableRows).int32(columns);
    long groups = rows * Grids.blocks(columns, 4);
    gather.launch(Math.min(mostBlocks, Grids.blocks(groups, THREADS)), THREADS);
  }

  /** Whether the gradient of a table is made by {@link #addMatches}; by the sizes alone. */
  public static boolean isSmall(int rows, int tableRows) {
    return tableRows <= SMALL_TABLE && matchSlices(rows) <= MOST_GRID_Y;
  }

  /** Slices of the indices that {@link #addMatches} adds in. */
  public static long matchSlices(int rows) {
    return Grids.blocks(rows, SLICE);
  }

  /**
   * dTable[v] += the sum of dy over the rows whose index is v, for small tables.
   *
   * @param partials [tableRows, matchSlices(rows), columns], overwritten
   */
  public void addMatches(
      Storage type,
      long index,
      long dy,
      int rows,
      int tableRows,
      int columns,
      long partials,
      long dTable) {
    Kernel addMatches = entries.get(type).addMatches;
    addMatches.begin().pointer(index).pointer(dy).int32(rows).int32(tableRows).int32(columns);
    addMatches.pointer(partials);
    long slices = matchSlices(rows);
    addMatches.launch(Grids.blocks(tableRows, WARPS), slices, 1, THREADS, 1, 1, 0);
    addSlices(type, partials, tableRows, (int) slices, columns, dTable);
  }

  private void addSlices(
      Storage type, long partials, int tableRows, int slices, int columns, long dTable) {
    Kernel addSlices = entries.get(type).addSlices;
    addSlices.begin().pointer(partials).int32(tableRows).int32(slices).int32(columns);
    long blocks = Grids.blocks((long) tableRows * columns, THREADS);
    addSlices.pointer(dTable).launch(Math.min(mostBlocks, blocks), THREADS);
  }

  /** Elements of the counts that {@link #sort} needs. */
  public static long counts(int rows) {
    return DIGITS * Grids.blocks(rows, KEYS_PER_BLOCK);
  }

  /** Passes of {@link #sort}: one for each 8 bits of the largest key, which is tableRows. */
  public static int passes(int tableRows) {
    int bits = Integer.SIZE - Integer.numberOfLeadingZeros(tableRows);
    return Math.max(1, (int) Grids.blocks(bits, DIGIT_BITS));
  }

  /**
   * One pass of a stable sort by the index, least significant digit first.
   *
   * @param pass from 0 to {@link #passes} − 1
   * @param keys I32 [rows]: the index for pass 0, else the last pass's sortedKeys
   * @param positions I32 [rows]: the last pass's sortedPositions; ignored in pass 0
   * @param counts I32 [{@link #counts}], overwritten
   */
  public void sort(
      int pass,
      long keys,
      long positions,
      int rows,
      int tableRows,
      long counts,
      long sortedKeys,
      long sortedPositions) {
    int shift = DIGIT_BITS * pass;
    long blocks = Grids.blocks(rows, KEYS_PER_BLOCK);
    count.begin().pointer(keys).int32(rows).int32(tableRows).int32(shift).pointer(counts);
    count.launch(blocks, THREADS);
    scan.begin().pointer(counts).int32(Math.toIntExact(counts(rows))).launch(1, SCAN_THREADS);
    scatter.begin().pointer(keys).pointer(pass == 0 ? 0 : positions).int32(rows).int32(tableRows);
    scatter.int32(shift).pointer(counts).pointer(sortedKeys).pointer(sortedPositions);
    scatter.launch(blocks, THREADS);
  }

  /** Parts that each table row's run is added in: by the sizes alone. */
  public static long slices(int rows, int tableRows) {
    return Math.max(1, Math.min(MOST_SLICES, Grids.blocks(rows, Math.max(1, tableRows) * PART)));
  }

  /**
   * dTable[v] += the sum of dy over the rows whose index is v, from the sorted index.
   *
   * @param starts I32 [tableRows + 1], overwritten
   * @param partials [tableRows, slices(rows, tableRows), columns], overwritten
   */
  public void addRuns(
      Storage type,
      long sortedKeys,
      long sortedPositions,
      long dy,
      int rows,
      int tableRows,
      int columns,
      long starts,
      long partials,
      long dTable) {
    findRuns.begin().pointer(sortedKeys).int32(rows).int32(tableRows).pointer(starts);
    findRuns.launch(Grids.blocks(rows + 1L, THREADS), THREADS);
    int warps = rows >= LONG_RUN * tableRows ? WARPS : 1;
    int slices = (int) slices(rows, tableRows);
    Kernel sumRuns = entries.get(type).sumRuns;
    sumRuns.begin().pointer(starts).pointer(sortedPositions).pointer(dy);
    sumRuns.int32(tableRows).int32(columns).int32(warps).pointer(partials);
    long across = Grids.blocks(columns, LANES);
    sumRuns.launch(Grids.blocks(tableRows, WARPS / warps), slices, across, THREADS, 1, 1, 0);
    addSlices(type, partials, tableRows, slices, columns, dTable);
  }
}
