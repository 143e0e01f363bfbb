package autosparse.engine.reference;

import autosparse.engine.Tensor;
import autosparse.engine.operators.EmbeddingOperators;

/** Row by row. */
final class ReferenceEmbedding extends EmbeddingOperators {
  @Override
  protected void applyGather(Tensor table, Tensor index, Tensor y) {
    int columns = (int) table.dim(1);
    double[] rows = table.toDoubles();
    int[] indices = checkedIndices(table, index);
    double[] ys = new double[(int) y.elements()];
    for (int n = 0; n < indices.length; n++) {
      for (int c = 0; c < columns; c++) {
        ys[n * columns + c] = rows[indices[n] * columns + c];
      }
    }
    y.setDoubles(ys);
  }

  @Override
  protected void applyGatherBackward(Tensor dy, Tensor index, Tensor dTable) {
    int columns = (int) dTable.dim(1);
    double[] rows = dTable.toDoubles();
    int[] indices = checkedIndices(dTable, index);
    double[] ds = dy.toDoubles();
    for (int n = 0; n < indices.length; n++) {
      for (int c = 0; c < columns; c++) {
        rows[indices[n] * columns + c] += ds[n * columns + c];
      }
    }
    dTable.setDoubles(rows);
  }

  private static int[] checkedIndices(Tensor table, Tensor index) {
    int[] indices = index.toInts();
    for (int n = 0; n < indices.length; n++) {
      if (indices[n] < 0 || indices[n] >= table.dim(0)) {
        throw new IndexOutOfBoundsException(
            "index[" + n + "] = " + indices[n] + ": outside the rows of " + table);
      }
    }
    return indices;
  }
}
