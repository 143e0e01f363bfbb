package autosparse.engine.cuda;

import static autosparse.engine.DType.I32;
import static autosparse.engine.DType.I64;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.SparsePatternOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.SiteCounts;
import autosparse.engine.sparse.Sites;
import autosparse.kernels.CudaContext;
import autosparse.kernels.SparsePatternKernels;
import autosparse.kernels.SparsePatternKernels.Level;
import autosparse.kernels.SparsePatternKernels.Search;

/**
 * Sites and neighbours made on the device. The host needs one number of each map (its pairs) and
 * one of each matrix of a downsampled level (its sites), since tensors are sized by them. Numbers
 * that it has not read before it reads, which waits for the device.
 */
final class CudaSparsePattern extends SparsePatternOperators {
  private final SparsePatternKernels kernels;
  private final SiteCounts counts;

  CudaSparsePattern(CudaContext context, SiteCounts counts) {
    kernels = new SparsePatternKernels(context);
    this.counts = counts;
  }

  @Override
  protected Sites applyDownsample(Sites sites, int stride, TensorScope scope) {
    int batch = sites.batch();
    long[] firstRows = sites.coarserRows(stride);
    long rows = firstRows[batch];
    Tensor rowPointers = scope.create("row pointers", I64, MemoryTag.SITES, rows + 1);
    Tensor siteOffsets = scope.create("site offsets", I64, MemoryTag.SITES, batch + 1);
    Tensor rowOffsets = scope.longs("row offsets", MemoryTag.SITES, firstRows);
    try (TensorScope work = scope.device().root().child("downsample")) {
      long blocks = SparsePatternKernels.blocks(sites.count());
      long flags =
          work.create("flags", I32, MemoryTag.WORKSPACE, SparsePatternKernels.BLOCK_WORDS * blocks)
              .deviceAddress(I32);
      long firstFlagged =
          work.create("flagged sites", I64, MemoryTag.WORKSPACE, blocks + 1).deviceAddress(I64);
      Level fine = level(sites);
      kernels.flagCoarseSites(fine, stride, flags, firstFlagged);
      kernels.coarseBounds(
          fine,
          sites.siteOffsets().deviceAddress(I64),
          stride,
          flags,
          firstFlagged,
          rowOffsets.deviceAddress(I64),
          rows,
          rowPointers.deviceAddress(I64),
          siteOffsets.deviceAddress(I64));
      long[] firstSites = counts.firstSites(sites, stride, siteOffsets);
      Tensor columns = scope.create("columns", I32, MemoryTag.SITES, firstSites[batch]);
      kernels.coarseColumns(fine, stride, flags, firstFlagged, columns.deviceAddress(I32));
      return new Sites(
          rowPointers,
          columns,
          siteOffsets,
          rowOffsets,
          firstRows,
          firstSites,
          sites.stride() * stride,
          sites.counts().coarser(stride));
    }
  }

  @Override
  protected NeighborMap applyNeighbors(
      Sites inputs,
      Sites outputs,
      ConvolutionKernel kernel,
      boolean transposed,
      TensorScope scope) {
    NeighborMap opposite = transposed ? search(outputs, inputs, kernel, true, null, scope) : null;
    return search(inputs, outputs, kernel, false, opposite, scope);
  }

  @Override
  protected Tensor applyNeighborhoodMasks(
      Sites sites, ConvolutionKernel kernel, TensorScope scope) {
    Tensor masks = scope.create("neighborhood masks", I32, MemoryTag.KERNEL_MAP, sites.count());
    kernels.countNeighbors(searchOf(sites, sites, kernel, false), masks.deviceAddress(I32), 0, 0);
    return masks;
  }

  private NeighborMap search(
      Sites inputs,
      Sites outputs,
      ConvolutionKernel kernel,
      boolean transposed,
      NeighborMap opposite,
      TensorScope scope) {
    long sites = outputs.count();
    Tensor pointers = scope.create("neighbor pointers", I64, MemoryTag.KERNEL_MAP, sites + 1);
    Tensor masks = scope.create("neighbor masks", I32, MemoryTag.KERNEL_MAP, sites);
    long maskAddress = masks.deviceAddress(I32);
    Tensor order = null;
    Tensor neighbors;
    try (TensorScope work = scope.device().root().child("neighbor search")) {
      Search search = searchOf(inputs, outputs, kernel, transposed);
      long starts =
          work.create("starts", I32, MemoryTag.WORKSPACE, kernel.size(), sites).deviceAddress(I32);
      long blocks = SparsePatternKernels.blocks(sites);
      Tensor firstPairs = work.create("first pairs", I64, MemoryTag.WORKSPACE, blocks + 1);
      long firstPairsAddress = firstPairs.deviceAddress(I64);
      kernels.countNeighbors(search, maskAddress, starts, firstPairsAddress);
      if (kernel.offsets() > 1 && kernel.offsets() <= SparsePatternKernels.SORTED_OFFSETS) {
        order = order(maskAddress, sites, scope, work);
      }
      long pairs = counts.pairs(transposed ? outputs : inputs, kernel, firstPairs, blocks);
      neighbors = scope.create("neighbors", I32, MemoryTag.KERNEL_MAP, pairs);
      if (sites == 0) {
        pointers.write(0, new long[1], 0, 1);
      } else {
        kernels.fillNeighbors(
            search,
            maskAddress,
            starts,
            firstPairsAddress,
            pointers.deviceAddress(I64),
            neighbors.deviceAddress(I32));
      }
    }
    return new NeighborMap(kernel, inputs, outputs, pointers, masks, neighbors, order, opposite);
  }

  private Tensor order(long masks, long sites, TensorScope scope, TensorScope work) {
    Tensor order = scope.create("neighbor order", I32, MemoryTag.KERNEL_MAP, sites);
    Tensor counts =
        work.create(
            "mask counts", I32, MemoryTag.WORKSPACE, SparsePatternKernels.sortCounts(sites));
    kernels.sortByMask(masks, sites, counts.deviceAddress(I32), order.deviceAddress(I32));
    return order;
  }

  private static Search searchOf(
      Sites inputs, Sites outputs, ConvolutionKernel kernel, boolean transposed) {
    return new Search(
        level(inputs),
        level(outputs),
        kernel.size(),
        kernel.dilation(),
        kernel.stride(),
        transposed);
  }

  private static Level level(Sites sites) {
    return new Level(
        sites.rowPointers().deviceAddress(I64),
        sites.columns().deviceAddress(I32),
        sites.rowOffsets().deviceAddress(I64),
        sites.batch(),
        sites.rows(),
        sites.count());
  }
}
