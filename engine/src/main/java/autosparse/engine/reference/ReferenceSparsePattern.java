package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.SparsePatternOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Sites and neighbours by looking coordinates up in a map. */
final class ReferenceSparsePattern extends SparsePatternOperators {
  /** A lattice coordinate of one matrix of the batch. */
  private record Coordinate(int matrix, long row, long column) implements Comparable<Coordinate> {
    @Override
    public int compareTo(Coordinate other) {
      int byMatrix = Integer.compare(matrix, other.matrix);
      int byRow = Long.compare(row, other.row);
      return byMatrix != 0 ? byMatrix : byRow != 0 ? byRow : Long.compare(column, other.column);
    }
  }

  @Override
  protected Sites applyDownsample(Sites sites, int stride, TensorScope scope) {
    TreeSet<Coordinate> coarse = new TreeSet<>();
    for (Coordinate site : coordinates(sites)) {
      coarse.add(new Coordinate(site.matrix, site.row / stride, site.column / stride));
    }
    int batch = sites.batch();
    long[] firstRows = sites.coarserRows(stride);
    long[] firstSites = new long[batch + 1];
    long[] rowPointers = new long[Math.toIntExact(firstRows[batch] + 1)];
    int[] columns = new int[coarse.size()];
    int at = 0;
    for (Coordinate site : coarse) {
      rowPointers[Math.toIntExact(firstRows[site.matrix] + site.row + 1)]++;
      firstSites[site.matrix + 1]++;
      columns[at++] = Math.toIntExact(site.column);
    }
    for (int row = 1; row < rowPointers.length; row++) {
      rowPointers[row] += rowPointers[row - 1];
    }
    for (int b = 0; b < batch; b++) {
      firstSites[b + 1] += firstSites[b];
    }
    return new Sites(
        scope.longs("row pointers", MemoryTag.SITES, rowPointers),
        scope.ints("columns", MemoryTag.SITES, columns),
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
    int[][] neighbors = lookUp(inputs, outputs, kernel);
    NeighborMap opposite = null;
    if (transposed) {
      int[][] readers = new int[Math.toIntExact(inputs.count())][kernel.offsets()];
      for (int[] row : readers) {
        java.util.Arrays.fill(row, -1);
      }
      for (int output = 0; output < neighbors.length; output++) {
        for (int k = 0; k < kernel.offsets(); k++) {
          if (neighbors[output][k] >= 0) {
            readers[neighbors[output][k]][k] = output;
          }
        }
      }
      opposite = map(outputs, inputs, kernel, readers, null, scope);
    }
    return map(inputs, outputs, kernel, neighbors, opposite, scope);
  }

  @Override
  protected Tensor applyNeighborhoodMasks(
      Sites sites, ConvolutionKernel kernel, TensorScope scope) {
    return scope.ints(
        "neighborhood masks", MemoryTag.KERNEL_MAP, masks(lookUp(sites, sites, kernel)));
  }

  /** Input site at each offset of each output, or -1. */
  private static int[][] lookUp(Sites inputs, Sites outputs, ConvolutionKernel kernel) {
    Map<Coordinate, Integer> index = new HashMap<>();
    for (Coordinate site : coordinates(inputs)) {
      index.put(site, index.size());
    }
    List<Coordinate> targets = coordinates(outputs);
    int[][] neighbors = new int[targets.size()][kernel.offsets()];
    for (int output = 0; output < neighbors.length; output++) {
      Coordinate site = targets.get(output);
      for (int k = 0; k < kernel.offsets(); k++) {
        long row = site.row * kernel.stride() + kernel.rowOffset(k);
        long column = site.column * kernel.stride() + kernel.columnOffset(k);
        neighbors[output][k] = index.getOrDefault(new Coordinate(site.matrix, row, column), -1);
      }
    }
    return neighbors;
  }

  private static int[] masks(int[][] neighbors) {
    int[] masks = new int[neighbors.length];
    for (int output = 0; output < masks.length; output++) {
      for (int k = 0; k < neighbors[output].length; k++) {
        masks[output] |= neighbors[output][k] >= 0 ? 1 << k : 0;
      }
    }
    return masks;
  }

  private static NeighborMap map(
      Sites inputs,
      Sites outputs,
      ConvolutionKernel kernel,
      int[][] neighbors,
      NeighborMap transposed,
      TensorScope scope) {
    long[] pointers = new long[neighbors.length + 1];
    List<Integer> active = new ArrayList<>();
    for (int output = 0; output < neighbors.length; output++) {
      for (int input : neighbors[output]) {
        if (input >= 0) {
          active.add(input);
        }
      }
      pointers[output + 1] = active.size();
    }
    return new NeighborMap(
        kernel,
        inputs,
        outputs,
        scope.longs("neighbor pointers", MemoryTag.KERNEL_MAP, pointers),
        scope.ints("neighbor masks", MemoryTag.KERNEL_MAP, masks(neighbors)),
        scope.ints("neighbors", MemoryTag.KERNEL_MAP, active.stream().mapToInt(i -> i).toArray()),
        transposed);
  }

  /** Coordinates of all sites, in the order of the sites. */
  private static List<Coordinate> coordinates(Sites sites) {
    long[] rowPointers = sites.rowPointers().toLongs();
    int[] columns = sites.columns().toInts();
    List<Coordinate> result = new ArrayList<>();
    for (int b = 0; b < sites.batch(); b++) {
      for (long row = sites.firstRow(b); row < sites.firstRow(b + 1); row++) {
        long end = rowPointers[Math.toIntExact(row + 1)];
        for (long site = rowPointers[Math.toIntExact(row)]; site < end; site++) {
          result.add(new Coordinate(b, row - sites.firstRow(b), columns[Math.toIntExact(site)]));
        }
      }
    }
    return result;
  }
}
