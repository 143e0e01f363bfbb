package autosparse.tuner.format;

import autosparse.schedule.Mode;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * Packs a matrix into the levels of a schedule.
 *
 * <p>Nonzeros are sorted by their coordinates in the levels' order. A dense level has a position
 * for every coordinate; a compressed one for every distinct coordinate under its parent; a
 * non-unique one for every nonzero under its parent, so that everything below it holds one nonzero;
 * a singleton has its parent's positions.
 */
public final class Packer {
  /** No level may have more positions than this times max(nnz, rows, columns, 1). */
  public static final long STORAGE_CAP = 20;

  /** The longest array that every JVM can make. */
  private static final long MAX_ARRAY = Integer.MAX_VALUE - 8L;

  private final Problem problem;
  private final List<LevelFormat> formats;
  private final SortedNonzeros nonzeros;
  private final int nnz;

  private Packer(SparsityPattern matrix, Problem problem, List<LevelFormat> formats) {
    this.problem = problem;
    this.formats = formats;
    this.nonzeros = SortedNonzeros.of(matrix, problem.op(), formats);
    this.nnz = Math.toIntExact(matrix.nnz());
  }

  /**
   * Packs a matrix.
   *
   * @param matrix the pattern
   * @param values [nnz], in CSR order
   * @param schedule whose format of A to use
   * @param problem operator and extents, those of the matrix
   * @throws StorageCapException if a level would be too large; found before any level is allocated
   * @throws IllegalArgumentException if matrix, values, schedule and problem do not fit together,
   *     or a singleton level lies under positions that may hold several nonzeros or none
   */
  public static PackedMatrix pack(
      SparsityPattern matrix, float[] values, Schedule schedule, Problem problem) {
    if (matrix.rows() != problem.rows()
        || matrix.cols() != problem.cols()
        || matrix.nnz() != problem.nnz()) {
      throw new IllegalArgumentException(matrix + " is not the matrix of " + problem);
    }
    if (values.length != matrix.nnz()) {
      throw new IllegalArgumentException(
          values.length + " values for " + matrix.nnz() + " nonzeros");
    }
    List<LevelFormat> formats = LevelFormat.of(schedule, problem);
    LevelFormat.misplacedSingleton(formats)
        .ifPresent(
            level -> {
              throw new IllegalArgumentException(
                  "level "
                      + level.name()
                      + " is a singleton of extent "
                      + level.extent()
                      + ", expected one below a non-unique level");
            });
    checkDensePrefix(formats, problem);
    return new Packer(matrix, problem, formats).pack(values);
  }

  /** What needs no look at the nonzeros, and so not even their sorting: leading dense levels. */
  static void checkDensePrefix(List<LevelFormat> formats, Problem problem) {
    long positions = 1;
    for (LevelFormat format : formats) {
      if (format.mode() != Mode.DENSE) {
        return;
      }
      positions = capped(format, positions, format.extent(), problem);
    }
  }

  private PackedMatrix pack(float[] values) {
    long[] distinct = nonzeros.distinctPrefixes();
    long[] sizes = sizes(formats, problem, level -> distinct[level]);
    long[] at = new long[nnz];
    List<PackedMatrix.Level> levels = new ArrayList<>();
    long parents = 1;
    boolean apart = false;
    for (int l = 0; l < formats.size(); l++) {
      apart |= formats.get(l).mode() == Mode.COMPRESSED_NON_UNIQUE;
      levels.add(
          switch (formats.get(l).mode()) {
            case DENSE -> dense(l, at, sizes[l]);
            case SINGLETON, SINGLETON_NON_UNIQUE -> singleton(l, at, sizes[l]);
            case COMPRESSED, COMPRESSED_NON_UNIQUE -> compressed(l, at, parents, sizes[l], apart);
          });
      parents = sizes[l];
    }
    float[] packed = new float[Math.toIntExact(parents)];
    long[] leafOf = new long[nnz];
    for (int n = 0; n < nnz; n++) {
      int csr = nonzeros.csrIndex(n);
      packed[(int) at[n]] = values[csr];
      leafOf[csr] = at[n];
    }
    return new PackedMatrix(problem, levels, packed, leafOf);
  }

  /**
   * Positions of every level, none over the cap.
   *
   * @param distinct how many distinct coordinates the nonzeros have in the levels down to a
   *     compressed one
   */
  static long[] sizes(List<LevelFormat> formats, Problem problem, IntToLongFunction distinct) {
    long[] sizes = new long[formats.size()];
    long parents = 1;
    // Below a non-unique level two nonzeros never share a position, whatever their coordinates.
    boolean apart = false;
    for (int l = 0; l < sizes.length; l++) {
      LevelFormat format = formats.get(l);
      apart |= format.mode() == Mode.COMPRESSED_NON_UNIQUE;
      sizes[l] =
          switch (format.mode()) {
            case DENSE -> capped(format, parents, format.extent(), problem);
            case SINGLETON, SINGLETON_NON_UNIQUE -> parents;
            case COMPRESSED, COMPRESSED_NON_UNIQUE ->
                capped(format, apart ? problem.nnz() : distinct.applyAsLong(l), 1, problem);
          };
      parents = sizes[l];
    }
    return sizes;
  }

  private static long capped(LevelFormat format, long parents, long each, Problem problem) {
    long most = Math.max(Math.max(problem.nnz(), 1), Math.max(problem.rows(), problem.cols()));
    long cap = Math.min(STORAGE_CAP * most, MAX_ARRAY - 1);
    if (parents > cap / each) {
      throw new StorageCapException(
          "level "
              + format.name()
              + " ("
              + format.mode().letter()
              + ") would have "
              + parents
              + " x "
              + each
              + " positions, the cap is "
              + cap);
    }
    return parents * each;
  }

  private PackedMatrix.Level dense(int level, long[] at, long positions) {
    LevelFormat format = formats.get(level);
    for (int n = 0; n < nnz; n++) {
      at[n] = at[n] * format.extent() + nonzeros.coordinate(level, n);
    }
    return new PackedMatrix.Level(format, positions, null, null);
  }

  private PackedMatrix.Level singleton(int level, long[] at, long positions) {
    int[] coordinates = new int[Math.toIntExact(positions)];
    for (int n = 0; n < nnz; n++) {
      coordinates[(int) at[n]] = nonzeros.coordinate(level, n);
    }
    return new PackedMatrix.Level(formats.get(level), positions, null, coordinates);
  }

  /**
   * A compressed level.
   *
   * @param apart whether every nonzero gets a position of its own
   */
  private PackedMatrix.Level compressed(
      int level, long[] at, long parents, long positions, boolean apart) {
    long[] starts = new long[Math.toIntExact(parents + 1)];
    int[] coordinates = new int[Math.toIntExact(positions)];
    int next = 0;
    for (int n = 0; n < nnz; n++) {
      if (apart || nonzeros.differsFromPrevious(level, n)) {
        coordinates[next++] = nonzeros.coordinate(level, n);
        starts[(int) at[n] + 1]++;
      }
      at[n] = next - 1L;
    }
    for (int p = 0; p < parents; p++) {
      starts[p + 1] += starts[p];
    }
    return new PackedMatrix.Level(formats.get(level), positions, starts, coordinates);
  }
}
