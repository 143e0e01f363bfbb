package autosparse.schedule;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A sparse operator: its loop axes and what each axis means. A is always the sparse matrix, its
 * rows always axis {@code i}.
 *
 * <p>To add an operator, add a constant: the parser, geometry, legality and data sets ask only the
 * methods below.
 */
public enum Op {
  /** C(i) = A(i,j) B(j). WACO calls axis j {@code k}; {@link WacoSchedule} translates. */
  SPMV("j", "", "j", false, 1, 1),
  /** C(i,j) = A(i,k) B(k,j), j dense. */
  SPMM("k", "j", "k", false, 128, 256),
  /** D(i,j) = A(i,j) (B(i,k) C(k,j)), k dense; D has A's pattern and so a format of its own. */
  SDDMM("j", "k", "k", true, 128, 256);

  private static final String ROW = "i";

  private final String column;
  private final String dense;
  private final String reduction;
  private final boolean sparseResult;
  private final long denseSize;
  private final long wacoDenseSize;

  Op(
      String column,
      String dense,
      String reduction,
      boolean sparseResult,
      long denseSize,
      long wacoDenseSize) {
    this.column = column;
    this.dense = dense;
    this.reduction = reduction;
    this.sparseResult = sparseResult;
    this.denseSize = denseSize;
    this.wacoDenseSize = wacoDenseSize;
  }

  /** Lower-case name, as on the command line and in record folders: {@code spmm}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The name as WACO spells it in its folders: SpMV, SpMM, SDDMM. */
  public String wacoName() {
    return this == SDDMM ? "SDDMM" : "Sp" + name().substring(2);
  }

  /**
   * The operator of a name.
   *
   * @param id the lower-case name
   * @throws InputException if no operator has that name; the message lists those there are
   */
  public static Op parse(String id) {
    for (Op op : values()) {
      if (op.id().equals(id)) {
        return op;
      }
    }
    throw new InputException(
        "operator " + InputException.quote(id) + ", expected spmv, spmm or sddmm");
  }

  /** Logical axes: the two of A (rows, columns), then the dense one if there is one. */
  public List<String> axes() {
    return dense.isEmpty() ? List.of(ROW, column) : List.of(ROW, column, dense);
  }

  /** The axes of A, which are the sparse ones: rows, columns. */
  public List<String> sparseAxes() {
    return List.of(ROW, column);
  }

  /** The axis of A's rows. */
  public String rowAxis() {
    return ROW;
  }

  /** The axis of A's columns. */
  public String columnAxis() {
    return column;
  }

  /** The axis that no sparse tensor has; empty for SpMV. */
  public Optional<String> denseAxis() {
    return dense.isEmpty() ? Optional.empty() : Optional.of(dense);
  }

  /** Extent of the dense axis in AutoSparse's records; 1 where there is none. */
  public long denseSize() {
    return denseSize;
  }

  /** Extent of the dense axis in WACO's records; 1 where there is none. */
  public long wacoDenseSize() {
    return wacoDenseSize;
  }

  /** The axes summed over. */
  public List<String> reductionAxes() {
    return List.of(reduction);
  }

  /** Names of the tensors that carry a sparse format. */
  public List<String> sparseTensors() {
    return sparseResult ? List.of("A", "D") : List.of("A");
  }

  /** Whether an axis, logical or one part of a split, belongs to A. */
  public boolean isSparse(String axis) {
    return sparseAxes().contains(logicalAxis(axis));
  }

  /** Whether an axis, logical or one part of a split, is summed over. */
  public boolean isReduction(String axis) {
    return reduction.equals(logicalAxis(axis));
  }

  /**
   * The logical axis that a loop axis belongs to: {@code i} for {@code i}, {@code i0}, {@code i1}.
   */
  public static String logicalAxis(String axis) {
    int last = axis.length() - 1;
    return last > 0 && (axis.charAt(last) == '0' || axis.charAt(last) == '1')
        ? axis.substring(0, last)
        : axis;
  }
}
