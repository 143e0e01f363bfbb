package autosparse.engine.operators;

import autosparse.engine.DType;
import autosparse.engine.Tensor;

/** Rows of a table by index. */
public abstract class EmbeddingOperators {
  /**
   * y[n] = table[index[n]].
   *
   * @param table [V, C]
   * @param index I32 [N], each in [0, V)
   * @param y [N, C]
   */
  public final void gather(Tensor table, Tensor index, Tensor y) {
    check("gather", table, index, y);
    applyGather(table, index, y);
  }

  /** dTable[index[n]] += dy[n], in ascending n for each row: the gradient of {@link #gather}. */
  public final void gatherBackward(Tensor dy, Tensor index, Tensor dTable) {
    check("gatherBackward", dTable, index, dy);
    applyGatherBackward(dy, index, dTable);
  }

  private static void check(String operator, Tensor table, Tensor index, Tensor y) {
    Check.activation(operator, "table", table, -1, -1);
    Check.typed(operator, "index", index, DType.I32, -1);
    Check.activation(operator, "rows", y, index.dim(0), table.dim(1));
    Check.sameType(operator, "table", table, "rows", y);
  }

  /**
   * Does the gather.
   *
   * @throws IndexOutOfBoundsException when an index is outside the table (host devices)
   */
  protected abstract void applyGather(Tensor table, Tensor index, Tensor y);

  protected abstract void applyGatherBackward(Tensor dy, Tensor index, Tensor dTable);
}
