package autosparse.kernels;

/** Launches the kernels of {@code sparse_pattern.cu}. Arguments are device addresses. */
public final class SparsePatternKernels {
  /** Sites of one block: block sums and flags are sized by it. */
  public static final int BLOCK_SITES = 256;

  /** Words of flags for each block of sites. */
  public static final int BLOCK_WORDS = BLOCK_SITES / 32;

  /** Largest number of offsets whose masks can be sorted by. */
  public static final int SORTED_OFFSETS = 9;

  private static final String FAMILY = "sparse_pattern";
  private static final int SORT_THREADS = 1024;
  private static final int SORT_CHUNK = 8192;
  private static final int SORT_WINDOW = 8 * SORT_CHUNK;
  private static final int SORT_COUNTS = 512 * 8;

  /**
   * The sites of one level.
   *
   * @param rowPointers I64 [rows + 1]
   * @param columns I32 [sites]
   * @param firstRows I64 [batch + 1]
   */
  public record Level(
      long rowPointers, long columns, long firstRows, int batch, long rows, long sites) {}

  /**
   * What is searched for: the neighbours of {@code outputs} among {@code inputs}.
   *
   * @param size 1, 3 or 5
   * @param transposed whether the outputs are what the kernel reads
   */
  public record Search(
      Level inputs, Level outputs, int size, int dilation, int stride, boolean transposed) {}

  private final Kernel[] countNeighbors;
  private final Kernel[] fillNeighbors;
  private final Kernel flagCoarseSites;
  private final Kernel coarseBounds;
  private final Kernel coarseColumns;
  private final Kernel countMasks;
  private final Kernel sortByMask;

  public SparsePatternKernels(CudaContext context) {
    countNeighbors = bySize(context, "count_neighbors_");
    fillNeighbors = bySize(context, "fill_neighbors_");
    flagCoarseSites = context.kernel(FAMILY, "flag_coarse_sites");
    coarseBounds = context.kernel(FAMILY, "coarse_bounds");
    coarseColumns = context.kernel(FAMILY, "coarse_columns");
    countMasks = context.kernel(FAMILY, "count_masks");
    sortByMask = context.kernel(FAMILY, "sort_by_mask");
  }

  /** The kernels for sizes 1, 3 and 5, then the transposed ones. */
  private static Kernel[] bySize(CudaContext context, String name) {
    Kernel[] kernels = new Kernel[6];
    for (int i = 0; i < 3; i++) {
      int size = 2 * i + 1;
      kernels[i] = context.kernel(FAMILY, name + size);
      kernels[i + 3] = context.kernel(FAMILY, name + size + "_transposed");
    }
    return kernels;
  }

  private static Kernel of(Kernel[] bySize, Search search) {
    return bySize[search.size / 2 + (search.transposed ? 3 : 0)];
  }

  /** Blocks that own so many sites. */
  public static long blocks(long sites) {
    return Grids.blocks(sites, BLOCK_SITES);
  }

  /**
   * Masks of all outputs.
   *
   * @param masks I32 [sites]
   * @param starts I32 [size, sites], where {@link #fillNeighbors} goes on; 0 for masks alone
   * @param firstPairs I64 [blocks + 1], the pairs of all blocks before each; 0 for masks alone
   */
  public void countNeighbors(Search search, long masks, long starts, long firstPairs) {
    Kernel kernel = of(countNeighbors, search).begin();
    kernel.pointer(search.inputs.rowPointers).pointer(search.inputs.columns);
    kernel.pointer(search.outputs.rowPointers).pointer(search.outputs.columns);
    kernel.pointer(search.inputs.firstRows).pointer(search.outputs.firstRows);
    kernel.int64(search.outputs.rows).int64(search.outputs.sites);
    kernel.int32(search.outputs.batch).int32(search.dilation).int32(search.stride);
    kernel.pointer(masks).pointer(starts).pointer(firstPairs);
    long blocks = blocks(search.outputs.sites);
    kernel.launch(firstPairs == 0 ? blocks : Math.max(1, blocks), BLOCK_SITES); // a sum of none too
  }

  /**
   * Pointers and neighbours from what {@link #countNeighbors} found.
   *
   * @param firstPairs I64 [blocks + 1]
   * @param pointers I64 [sites + 1]
   * @param neighbors I32 [pairs]
   */
  public void fillNeighbors(
      Search search, long masks, long starts, long firstPairs, long pointers, long neighbors) {
    Kernel kernel = of(fillNeighbors, search).begin();
    kernel.pointer(search.inputs.columns).pointer(search.outputs.columns);
    kernel.int64(search.outputs.sites).int32(search.dilation).int32(search.stride);
    kernel.pointer(masks).pointer(starts).pointer(firstPairs).pointer(pointers).pointer(neighbors);
    int sharedBytes = Integer.BYTES * BLOCK_SITES * search.size * search.size;
    kernel.launch(blocks(search.outputs.sites), BLOCK_SITES, sharedBytes);
  }

  /**
   * Flags the fine site that stands for each coarse one.
   *
   * @param flags [{@link #BLOCK_WORDS}·blocks] words
   * @param firstFlagged I64 [blocks + 1], the flagged sites of all blocks before each
   */
  public void flagCoarseSites(Level fine, int stride, long flags, long firstFlagged) {
    flagCoarseSites.begin().pointer(fine.rowPointers).pointer(fine.columns);
    flagCoarseSites.pointer(fine.firstRows);
    flagCoarseSites.int64(fine.rows).int64(fine.sites).int32(fine.batch).int32(stride);
    flagCoarseSites.pointer(flags).pointer(firstFlagged);
    flagCoarseSites.launch(Math.max(1, blocks(fine.sites)), BLOCK_SITES); // a sum of none too
  }

  /**
   * Row pointers and site offsets of the coarse level.
   *
   * @param siteOffsets I64 [batch + 1] of the fine level
   * @param firstFlagged I64 [blocks + 1]
   * @param coarseFirstRows I64 [batch + 1]
   * @param coarseRowPointers I64 [coarseRows + 1]
   * @param coarseSiteOffsets I64 [batch + 1]
   */
  public void coarseBounds(
      Level fine,
      long siteOffsets,
      int stride,
      long flags,
      long firstFlagged,
      long coarseFirstRows,
      long coarseRows,
      long coarseRowPointers,
      long coarseSiteOffsets) {
    coarseBounds.begin().pointer(fine.rowPointers).pointer(siteOffsets).pointer(fine.firstRows);
    coarseBounds.pointer(coarseFirstRows).int64(coarseRows).int32(fine.batch).int32(stride);
    coarseBounds.pointer(flags).pointer(firstFlagged);
    coarseBounds.pointer(coarseRowPointers).pointer(coarseSiteOffsets);
    coarseBounds.launch(Grids.blocks(coarseRows + fine.batch + 2, 256), 256);
  }

  /** Columns of the coarse level, I32 [coarse sites]. */
  public void coarseColumns(Level fine, int stride, long flags, long firstFlagged, long coarse) {
    coarseColumns.begin().pointer(fine.rowPointers).pointer(fine.columns).pointer(fine.firstRows);
    coarseColumns.int64(fine.rows).int64(fine.sites).int32(fine.batch).int32(stride);
    coarseColumns.pointer(flags).pointer(firstFlagged).pointer(coarse);
    coarseColumns.launch(blocks(fine.sites), BLOCK_SITES);
  }

  /** I32 elements that {@link #sortByMask} needs to count in. */
  public static long sortCounts(long sites) {
    return Grids.blocks(sites, SORT_WINDOW) * SORT_COUNTS;
  }

  /**
   * The order in which sites of equal masks are adjacent, window after window.
   *
   * @param masks I32 [sites], of at most {@link #SORTED_OFFSETS} bits
   * @param counts I32 [{@link #sortCounts}]
   * @param order I32 [sites]
   */
  public void sortByMask(long masks, long sites, long counts, long order) {
    long blocks = Grids.blocks(sites, SORT_CHUNK);
    countMasks.begin().pointer(masks).int64(sites).pointer(counts).launch(blocks, SORT_THREADS);
    sortByMask.begin().pointer(masks).pointer(counts).int64(sites).pointer(order);
    sortByMask.launch(blocks, SORT_THREADS);
  }
}
