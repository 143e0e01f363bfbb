package autosparse.tuner.measure;

import autosparse.schedule.Op;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.format.PackedMatrix;

/** What the runner maps: a matrix in compressed rows with values, and packed forms of it. */
final class RunnerFiles {
  private static final int MATRIX_WORDS = 9;
  private static final int PACKED_WORDS = 12;
  private static final int LEVEL_WORDS = 6;

  private RunnerFiles() {}

  /**
   * A matrix's made-up values: magnitudes of 0.5 to 1, so that no product vanishes, and both signs.
   *
   * @return [nnz], in CSR order
   */
  static float[] madeUpValues(SparsityPattern matrix, long seed) {
    float[] values = new float[Math.toIntExact(matrix.nnz())];
    for (int n = 0; n < values.length; n++) {
      // SplitMix64 of a counter: a value depends on its place alone.
      long z = (seed + n + 1) * 0x9e3779b97f4a7c15L;
      z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
      z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
      z ^= z >>> 31;
      float magnitude = 0.5f + (z >>> 41) * 0x1p-24f;
      values[n] = (z & 1) == 0 ? magnitude : -magnitude;
    }
    return values;
  }

  /** The matrix in compressed rows. */
  static SectionFile matrix(SparsityPattern matrix, float[] values) {
    return new SectionFile("ASMATRIX", MATRIX_WORDS)
        .word(matrix.rows())
        .word(matrix.cols())
        .word(matrix.nnz())
        .longs(matrix.rowPointers(), true)
        .ints(matrix.columns())
        .floats(values);
  }

  /** A packed form; where each nonzero went is in it only for an operator whose result needs it. */
  static SectionFile packed(PackedMatrix packed) {
    Op op = packed.problem().op();
    boolean wide = packed.wide();
    SectionFile file =
        new SectionFile("ASPACKED", PACKED_WORDS + LEVEL_WORDS * packed.levels().size())
            .word(packed.levels().size())
            .word(wide ? 1 : 0)
            .word(packed.problem().rows())
            .word(packed.problem().cols())
            .word(padded(packed, op.rowAxis()))
            .word(padded(packed, op.columnAxis()))
            .word(packed.problem().nnz())
            .floats(packed.values())
            .longs(resultIsPacked(op) ? packed.leafOf() : null, true);
    for (PackedMatrix.Level level : packed.levels()) {
      long[] starts = level.positionsArray();
      file.word(level.mode().code())
          .word(level.extent())
          .word(level.positions())
          .longs(starts, wide)
          .word(starts == null ? 0 : starts.length)
          .ints(level.coordinates());
    }
    return file;
  }

  /**
   * Bytes that the runner holds for a packed form beside its file: the matrix, operands, result and
   * reference.
   */
  static long operandBytes(PackedMatrix packed) {
    Op op = packed.problem().op();
    long rows = packed.problem().rows();
    long cols = packed.problem().cols();
    long nnz = packed.problem().nnz();
    long dense = packed.problem().denseSize();
    long paddedRows = padded(packed, op.rowAxis());
    long paddedCols = padded(packed, op.columnAxis());
    long matrix = 8 * (rows + 1) + 8 * nnz;
    if (!resultIsPacked(op)) {
      return matrix + dense * (4 * paddedCols + 4 * paddedRows + 12 * rows);
    }
    long positions = packed.values().length;
    return matrix + 4 * dense * (paddedRows + cols) + 4 * paddedCols + 5 * positions + 12 * nnz;
  }

  private static boolean resultIsPacked(Op op) {
    return op.sparseTensors().size() > 1;
  }

  /** The extent that the levels of an axis cover: at least the axis' own. */
  private static long padded(PackedMatrix packed, String axis) {
    return packed.levels().stream()
        .filter(level -> level.format().axis().equals(axis))
        .mapToLong(PackedMatrix.Level::extent)
        .reduce(1, Math::multiplyExact);
  }
}
