package autosparse.costmodel.memory;

import autosparse.costmodel.network.SparseTower;
import autosparse.engine.sparse.Sites;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Rows of one matrix that go through the tower together. The rows that the strip owns, from which
 * averages and gradients are taken, lie inside the rows that it holds: around them is the halo,
 * what the owned rows' outputs depend on through all layers. Each row of a matrix is owned by one
 * strip.
 *
 * <p>All bounds but a matrix's end are multiples of the product of the layers' strides, so that
 * coarser levels of the strip are rows of the matrix's coarser levels.
 *
 * @param matrix its place in the batch
 * @param pattern the matrix
 * @param firstRow first row that the strip holds
 * @param endRow behind the last row that it holds
 * @param firstOwned first row that it owns
 * @param endOwned behind the last row that it owns
 */
record Strip(
    int matrix, Sites.Pattern pattern, long firstRow, long endRow, long firstOwned, long endOwned) {

  /**
   * The strips of a batch, in the order of matrices and rows.
   *
   * @param most sites that a strip holds, unless the fewest rows that can be owned need more
   */
  static List<Strip> of(List<Sites.Pattern> patterns, SparseTower tower, long most) {
    long unit = tower.stride(tower.size() - 1);
    long halo = tower.haloRows();
    List<Strip> strips = new ArrayList<>();
    for (int m = 0; m < patterns.size(); m++) {
      Sites.Pattern pattern = patterns.get(m);
      long from = 0;
      while (from < pattern.rows()) {
        Strip strip = owning(m, pattern, from, from + unit, unit, halo);
        // Sites rise with the rows: the largest number of units that fits, by bisection.
        long fits = 1;
        long above = (pattern.rows() - from + unit - 1) / unit + 1;
        while (above - fits > 1) {
          long units = (fits + above) / 2;
          Strip larger = owning(m, pattern, from, from + units * unit, unit, halo);
          if (larger.sites() <= most) {
            strip = larger;
            fits = units;
          } else {
            above = units;
          }
        }
        strips.add(strip);
        from = strip.endOwned;
      }
    }
    return strips;
  }

  private static Strip owning(
      int matrix, Sites.Pattern pattern, long from, long to, long unit, long halo) {
    long end = Math.min(pattern.rows(), to);
    return new Strip(
        matrix,
        pattern,
        Math.max(0, (from - halo)) / unit * unit,
        Math.min(pattern.rows(), (end + halo + unit - 1) / unit * unit),
        from,
        end);
  }

  /** Sites that the strip holds. */
  long sites() {
    long[] pointers = pattern.rowPointers();
    return pointers[Math.toIntExact(endRow)] - pointers[Math.toIntExact(firstRow)];
  }

  /** The rows that the strip holds, as a pattern of their own. */
  Sites.Pattern rows() {
    int first = Math.toIntExact(firstRow);
    int end = Math.toIntExact(endRow);
    long start = pattern.rowPointers()[first];
    long[] pointers = Arrays.copyOfRange(pattern.rowPointers(), first, end + 1);
    for (int row = 0; row < pointers.length; row++) {
      pointers[row] -= start;
    }
    int[] columns =
        Arrays.copyOfRange(
            pattern.columnIndices(), Math.toIntExact(start), (int) (start + pointers[end - first]));
    return new Sites.Pattern(endRow - firstRow, pattern.columns(), pointers, columns);
  }

  /** First owned lattice row, counted from the strip's own first, where one is {@code stride}. */
  long firstOwned(long stride) {
    return (firstOwned - firstRow) / stride;
  }

  /** Behind the last owned lattice row. */
  long endOwned(long stride) {
    return (endOwned - firstRow + stride - 1) / stride;
  }
}
