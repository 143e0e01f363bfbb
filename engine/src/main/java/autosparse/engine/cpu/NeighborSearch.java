package autosparse.engine.cpu;

import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;

/**
 * Finds the neighbours of a range of sites by walking sorted rows side by side.
 *
 * <p>For a fixed kernel row, the searched row and the columns searched in it both rise with the
 * output, so one position per kernel row moves through the input's columns, and the neighbours are
 * a merge of the few columns behind it with the kernel's taps. No hash table, no search but one at
 * the start of each row.
 *
 * <p>Both directions are one walk. Forward, output (r, c) reads inputs at r·s + dr·d and c·s +
 * dc·d. Transposed, input (r, c) is read by the outputs (r', c') with r'·s = r − dr·d and c'·s = c
 * − dc·d.
 */
final class NeighborSearch {
  private final Sites inputs;
  private final Sites outputs;
  private final ConvolutionKernel kernel;
  private final boolean transposed;
  private final int size;
  private final long outputScale;
  private final long inputScale;
  private final IndexView outputRows;
  private final IndexView outputColumns;
  private final IndexView inputRows;
  private final IndexView inputColumns;
  private final long[] firstRows;

  /**
   * @param inputs the sites searched among
   * @param outputs the sites whose neighbours are found
   * @param transposed whether this is the opposite direction of {@code kernel} (see {@link
   *     NeighborMap#transposed()})
   */
  NeighborSearch(Sites inputs, Sites outputs, ConvolutionKernel kernel, boolean transposed) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.kernel = kernel;
    this.transposed = transposed;
    size = kernel.size();
    outputScale = transposed ? 1 : kernel.stride();
    inputScale = transposed ? kernel.stride() : 1;
    outputRows = new IndexView(outputs.rowPointers());
    outputColumns = new IndexView(outputs.columns());
    inputRows = new IndexView(inputs.rowPointers());
    inputColumns = new IndexView(inputs.columns());
    firstRows = new long[outputs.batch() + 1];
    for (int b = 0; b <= outputs.batch(); b++) {
      firstRows[b] = outputs.firstRow(b);
    }
  }

  Sites inputs() {
    return inputs;
  }

  Sites outputs() {
    return outputs;
  }

  ConvolutionKernel kernel() {
    return kernel;
  }

  /**
   * Neighbours of the sites {@code from} to {@code from + count}.
   *
   * @param masks receives each site's mask, from index 0
   * @param neighbors receives the input sites in ascending offset, site after site; null to count
   *     only
   * @return number of neighbours
   */
  int find(long from, int count, int[] masks, int[] neighbors) {
    long[] position = new long[size];
    long[] end = new long[size];
    int[] found = new int[kernel.offsets()];
    int pairs = 0;
    long row = rowOf(from);
    long site = from;
    while (site < from + count) {
      while (outputRows.getLong(row + 1) <= site) {
        row++;
      }
      long rowEnd = Math.min(from + count, outputRows.getLong(row + 1));
      enterRow(row, outputColumns.getInt(site), position, end);
      for (; site < rowEnd; site++) {
        int mask = neighborsOf(outputColumns.getInt(site), position, end, found);
        masks[(int) (site - from)] = mask;
        if (neighbors == null) {
          pairs += Integer.bitCount(mask);
        } else {
          for (int rest = mask; rest != 0; rest &= rest - 1) {
            neighbors[pairs++] = found[Integer.numberOfTrailingZeros(rest)];
          }
        }
      }
    }
    return pairs;
  }

  /** The lattice row that holds an output site. */
  private long rowOf(long site) {
    long low = 0;
    long high = outputs.rows();
    while (high - low > 1) {
      long middle = (low + high) >>> 1;
      if (outputRows.getLong(middle) <= site) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /**
   * Sets each kernel row's position to the first input that {@code column} or a later one reads.
   */
  private void enterRow(long row, int column, long[] position, long[] end) {
    int matrix = RowMerge.matrixOf(firstRows, row);
    long inputBase = inputs.firstRow(matrix);
    long inputCount = inputs.firstRow(matrix + 1) - inputBase;
    long least = outputScale * column - (long) (size / 2) * kernel.dilation();
    for (int r = 0; r < size; r++) {
      long offset = (long) (r - size / 2) * kernel.dilation();
      long scaled = (row - firstRows[matrix]) * outputScale + (transposed ? -offset : offset);
      long inputRow = Math.floorDiv(scaled, inputScale);
      if (inputRow * inputScale != scaled || inputRow < 0 || inputRow >= inputCount) {
        position[r] = 0;
        end[r] = 0;
        continue;
      }
      long low = inputRows.getLong(inputBase + inputRow);
      end[r] = inputRows.getLong(inputBase + inputRow + 1);
      long high = end[r];
      while (low < high) {
        long middle = (low + high) >>> 1;
        if (inputColumns.getInt(middle) * inputScale < least) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      position[r] = low;
    }
  }

  private int neighborsOf(int column, long[] position, long[] end, int[] found) {
    int dilation = kernel.dilation();
    long least = outputScale * column - (long) (size / 2) * dilation;
    int mask = 0;
    for (int r = 0; r < size; r++) {
      long last = end[r];
      long at = position[r];
      while (at < last && inputColumns.getInt(at) * inputScale < least) {
        at++;
      }
      position[r] = at;
      long target = least;
      for (int tap = 0; at < last && tap < size; ) {
        long value = inputColumns.getInt(at) * inputScale;
        if (value == target) {
          int k = r + size * (transposed ? size - 1 - tap : tap);
          mask |= 1 << k;
          found[k] = (int) at;
        }
        if (value <= target) {
          at++;
        }
        if (value >= target) {
          tap++;
          target += dilation;
        }
      }
    }
    return mask;
  }
}
