package autosparse.schedule;

/**
 * One operator on one matrix shape: everything about a task except the pattern.
 *
 * @param op the operator
 * @param rows rows of A, at least 1
 * @param cols columns of A, at least 1
 * @param nnz nonzeros of A
 * @param denseSize extent of the dense axis; 1 where the operator has none
 */
public record Problem(Op op, long rows, long cols, long nnz, long denseSize) {
  /** Throws {@link IllegalArgumentException} if an extent is not positive. */
  public Problem {
    if (rows < 1 || cols < 1 || nnz < 0 || denseSize < 1) {
      throw new IllegalArgumentException(
          op.id()
              + " of "
              + rows
              + " x "
              + cols
              + ", nnz "
              + nnz
              + ", dense axis "
              + denseSize
              + ": expected positive extents");
    }
  }

  /** The operator on a shape, with the dense axis as AutoSparse's records have it. */
  public static Problem of(Op op, long rows, long cols, long nnz) {
    return new Problem(op, rows, cols, nnz, op.denseSize());
  }

  /** The operator on a matrix, with the dense axis as AutoSparse's records have it. */
  public static Problem of(Op op, MatrixPattern matrix) {
    return of(op, matrix.rows(), matrix.cols(), matrix.nnz());
  }

  /** The same with another dense axis, e.g. {@link Op#wacoDenseSize()}. */
  public Problem withDenseSize(long size) {
    return new Problem(op, rows, cols, nnz, size);
  }

  /**
   * Extent of a logical axis.
   *
   * @throws IllegalArgumentException if the operator has no such axis
   */
  public long extent(String axis) {
    if (axis.equals(op.rowAxis())) {
      return rows;
    }
    if (axis.equals(op.columnAxis())) {
      return cols;
    }
    if (op.denseAxis().isPresent() && axis.equals(op.denseAxis().get())) {
      return denseSize;
    }
    throw new IllegalArgumentException(
        "axis " + axis + " of " + op.id() + ", expected one of " + op.axes());
  }
}
