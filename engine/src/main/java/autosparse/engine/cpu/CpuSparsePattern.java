package autosparse.engine.cpu;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.SparsePatternOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;

/**
 * Sites and neighbours by walking sorted rows: one pass counts, a second fills, both over tiles
 * that do not depend on the number of threads.
 */
final class CpuSparsePattern extends SparsePatternOperators {
  /** Output sites of one tile of a neighbour search. */
  private static final int TILE_SITES = 4096;

  /** Output rows of one tile of a downsampling. */
  private static final int TILE_ROWS = 512;

  private final WorkerPool pool;

  CpuSparsePattern(WorkerPool pool) {
    this.pool = pool;
  }

  @Override
  protected Sites applyDownsample(Sites sites, int stride, TensorScope scope) {
    int batch = sites.batch();
    long[] firstRows = sites.coarserRows(stride);
    long rows = firstRows[batch];
    Tensor rowPointers = scope.create("row pointers", DType.I64, MemoryTag.SITES, rows + 1);
    rowPointers.write(0, new long[1], 0, 1);
    int tiles = Math.toIntExact((rows + TILE_ROWS - 1) / TILE_ROWS);
    RowMerge merge = new RowMerge(sites, stride, firstRows);
    long[] tileSites = new long[tiles + 1];
    pool.run(
        tiles,
        (worker, tile) -> {
          long from = tile * TILE_ROWS;
          int count = (int) Math.min(TILE_ROWS, rows - from);
          long[] ends = pool.scratch(worker).longs(0, TILE_ROWS);
          long total = 0;
          for (int row = 0; row < count; row++) {
            total += merge.count(from + row);
            ends[row] = total;
          }
          rowPointers.write(from + 1, ends, 0, count);
          tileSites[(int) tile + 1] = total;
        });
    for (int tile = 0; tile < tiles; tile++) {
      tileSites[tile + 1] += tileSites[tile];
    }
    Tensor columns = scope.create("columns", DType.I32, MemoryTag.SITES, tileSites[tiles]);
    pool.run(
        tiles,
        (worker, tile) -> {
          long from = tile * TILE_ROWS;
          int count = (int) Math.min(TILE_ROWS, rows - from);
          long[] ends = pool.scratch(worker).longs(0, TILE_ROWS);
          rowPointers.read(from + 1, ends, 0, count);
          long base = tileSites[(int) tile];
          for (int row = 0; row < count; row++) {
            long start = row == 0 ? base : ends[row - 1];
            ends[row] += base;
            merge.fill(from + row, columns, start, pool.scratch(worker));
          }
          rowPointers.write(from + 1, ends, 0, count);
        });
    long[] firstSites = new long[batch + 1];
    for (int b = 0; b <= batch; b++) {
      long[] at = new long[1];
      rowPointers.read(firstRows[b], at, 0, 1);
      firstSites[b] = at[0];
    }
    return new Sites(
        rowPointers,
        columns,
        scope.longs("site offsets", MemoryTag.SITES, firstSites),
        scope.longs("row offsets", MemoryTag.SITES, firstRows),
        firstRows,
        firstSites,
        sites.stride() * stride,
        sites.counts().coarser(stride));
  }

  @Override
  protected NeighborMap applyNeighbors(
      Sites inputs,
      Sites outputs,
      ConvolutionKernel kernel,
      boolean transposed,
      TensorScope scope) {
    NeighborMap opposite =
        transposed ? search(new NeighborSearch(outputs, inputs, kernel, true), null, scope) : null;
    return search(new NeighborSearch(inputs, outputs, kernel, false), opposite, scope);
  }

  @Override
  protected Tensor applyNeighborhoodMasks(
      Sites sites, ConvolutionKernel kernel, TensorScope scope) {
    Tensor masks =
        scope.create("neighborhood masks", DType.I32, MemoryTag.KERNEL_MAP, sites.count());
    count(new NeighborSearch(sites, sites, kernel, false), masks);
    return masks;
  }

  /** Writes the masks; returns the first pair of each tile, then the number of pairs. */
  private long[] count(NeighborSearch search, Tensor masks) {
    long sites = masks.elements();
    int tiles = Math.toIntExact((sites + TILE_SITES - 1) / TILE_SITES);
    long[] tilePairs = new long[tiles + 1];
    pool.run(
        tiles,
        (worker, tile) -> {
          long from = tile * TILE_SITES;
          int count = (int) Math.min(TILE_SITES, sites - from);
          int[] found = pool.scratch(worker).ints(0, TILE_SITES);
          tilePairs[(int) tile + 1] = search.find(from, count, found, null);
          masks.write(from, found, 0, count);
        });
    for (int tile = 0; tile < tiles; tile++) {
      tilePairs[tile + 1] += tilePairs[tile];
    }
    return tilePairs;
  }

  private NeighborMap search(NeighborSearch search, NeighborMap transposed, TensorScope scope) {
    long sites = search.outputs().count();
    int offsets = search.kernel().offsets();
    Tensor pointers = scope.create("neighbor pointers", DType.I64, MemoryTag.KERNEL_MAP, sites + 1);
    Tensor masks = scope.create("neighbor masks", DType.I32, MemoryTag.KERNEL_MAP, sites);
    long[] tilePairs = count(search, masks);
    int tiles = tilePairs.length - 1;
    Tensor neighbors = scope.create("neighbors", DType.I32, MemoryTag.KERNEL_MAP, tilePairs[tiles]);
    pointers.write(0, new long[1], 0, 1);
    pool.run(
        tiles,
        (worker, tile) -> {
          long from = tile * TILE_SITES;
          int count = (int) Math.min(TILE_SITES, sites - from);
          Scratch scratch = pool.scratch(worker);
          int[] found = scratch.ints(0, TILE_SITES);
          int[] pairs = scratch.ints(1, TILE_SITES * offsets);
          int total = search.find(from, count, found, pairs);
          long[] ends = scratch.longs(0, TILE_SITES);
          long end = tilePairs[(int) tile];
          for (int i = 0; i < count; i++) {
            end += Integer.bitCount(found[i]);
            ends[i] = end;
          }
          pointers.write(from + 1, ends, 0, count);
          neighbors.write(tilePairs[(int) tile], pairs, 0, total);
        });
    return new NeighborMap(
        search.kernel(), search.inputs(), search.outputs(), pointers, masks, neighbors, transposed);
  }
}
