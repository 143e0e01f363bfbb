package autosparse.costmodel.memory;

import autosparse.costmodel.network.SparseTower;
import autosparse.engine.sparse.RowRange;
import autosparse.engine.sparse.RowSource;
import java.util.ArrayList;
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
 * @param source the matrix
 * @param firstRow first row that the strip holds
 * @param endRow behind the last row that it holds
 * @param firstOwned first row that it owns
 * @param endOwned behind the last row that it owns
 * @param unit product of the layers' strides
 */
record Strip(
    int matrix,
    RowSource source,
    long firstRow,
    long endRow,
    long firstOwned,
    long endOwned,
    long unit) {
  /** Rows that count as one site in a strip's size: empty rows take memory too, if little. */
  static final long ROWS_PER_SITE = 64;

  /** A strip's size stays below what one range of a source, and one batch of sites, can have. */
  private static final long LARGEST = 1L << 30;

  /**
   * Strips of many units own whole multiples of this share of their number: strips of a regular
   * matrix are then alike but for the last.
   */
  private static final long ROUNDING = 16;

  /**
   * The strips of a batch that have sites, in the order of matrices and rows. Reads no rows.
   *
   * @param most size of a strip, unless the fewest rows that can be owned have more; it is less
   *     where the source must not have so much read at once
   */
  static List<Strip> of(List<? extends RowSource> sources, SparseTower tower, long most) {
    long unit = tower.stride(tower.size() - 1);
    long halo = tower.haloRows();
    List<Strip> strips = new ArrayList<>();
    for (int m = 0; m < sources.size(); m++) {
      RowSource source = sources.get(m);
      long from = 0;
      while (from < source.rows()) {
        long all = (source.rows() - from + unit - 1) / unit;
        // Sites rise with the rows: the largest number of units that fits, by bisection.
        long fits = 1;
        long above = all + 1;
        while (above - fits > 1) {
          long units = (fits + above) / 2;
          Strip larger = owning(m, source, from, from + units * unit, unit, halo);
          if (larger.size() <= Math.min(most, LARGEST)
              && source.bytes(larger.firstRow, larger.endRow) <= source.rangeBytes()) {
            fits = units;
          } else {
            above = units;
          }
        }
        Strip strip = owning(m, source, from, from + rounded(fits, all) * unit, unit, halo);
        if (strip.sites() > 0) {
          strips.add(strip); // rows without sites, however many, have nothing to add
        }
        from = strip.endOwned;
      }
    }
    return strips;
  }

  /**
   * The smallest size at which a batch has at most so many strips, which makes them about equal: a
   * larger one would leave less and less to a matrix's last strip.
   *
   * @param count of strips
   * @param enough a size at which there are no more
   */
  static long sizeFor(
      List<? extends RowSource> sources, SparseTower tower, int count, long enough) {
    long small = 0;
    long size = enough;
    while (size - small > 1) {
      long middle = small + (size - small) / 2;
      if (of(sources, tower, middle).size() <= count) {
        size = middle;
      } else {
        small = middle;
      }
    }
    return size;
  }

  /** Fewer units than fit, so that the next strip can have as many; all if these fit. */
  private static long rounded(long fits, long all) {
    long step = Long.highestOneBit(Math.max(1, fits / ROUNDING));
    return fits == all ? fits : fits / step * step;
  }

  private static Strip owning(
      int matrix, RowSource source, long from, long to, long unit, long halo) {
    long end = Math.min(source.rows(), to);
    return new Strip(
        matrix,
        source,
        Math.max(0, (from - halo)) / unit * unit,
        Math.min(source.rows(), (end + halo + unit - 1) / unit * unit),
        from,
        end,
        unit);
  }

  /** Size of a batch as one strip. */
  static long size(List<? extends RowSource> sources) {
    return sources.stream().mapToLong(s -> Math.max(s.sites(), s.rows() / ROWS_PER_SITE)).sum();
  }

  /** Number of rows that the strip holds. */
  long rowCount() {
    return endRow - firstRow;
  }

  /** Sites that the strip holds. */
  long sites() {
    return source.sitesBefore(endRow) - source.sitesBefore(firstRow);
  }

  /** Sites that the strip holds, or what its rows count as if that is more. */
  long size() {
    return Math.max(sites(), rowCount() / ROWS_PER_SITE);
  }

  /** The rows that the strip holds. */
  RowRange rows() {
    return new RowRange(source, firstRow, endRow, unit);
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
