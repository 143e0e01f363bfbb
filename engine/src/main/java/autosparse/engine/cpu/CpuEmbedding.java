package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.operators.EmbeddingOperators;

/** Rows copied; the gradient sorts the rows by index, so that each table row has one owner. */
final class CpuEmbedding extends EmbeddingOperators {
  /** Indices that are sorted at a time. */
  private static final int CHUNK = 1 << 20;

  private static final int TABLE_ROWS = 16;

  private final WorkerPool pool;

  CpuEmbedding(WorkerPool pool) {
    this.pool = pool;
  }

  @Override
  protected void applyGather(Tensor table, Tensor index, Tensor y) {
    int columns = Math.toIntExact(table.dim(1));
    Tiles.rows(
        pool,
        y.dim(0),
        columns,
        (scratch, from, count) -> {
          int[] indices = scratch.ints(0, count);
          float[] rows = scratch.array(0, count * columns);
          index.read(from, indices, 0, count);
          for (int r = 0; r < count; r++) {
            check(indices[r], from + r, table);
            table.read((long) indices[r] * columns, rows, r * columns, columns);
          }
          y.write(from * columns, rows, 0, count * columns);
        });
  }

  private static void check(int row, long at, Tensor table) {
    if (row < 0 || row >= table.dim(0)) {
      throw new IndexOutOfBoundsException(
          "index[" + at + "] = " + row + ": outside the rows of " + table);
    }
  }

  @Override
  protected void applyGatherBackward(Tensor dy, Tensor index, Tensor dTable) {
    for (long from = 0; from < index.dim(0); from += CHUNK) {
      addChunk(dy, index, dTable, from, (int) Math.min(CHUNK, index.dim(0) - from));
    }
  }

  private void addChunk(Tensor dy, Tensor index, Tensor dTable, long from, int count) {
    int[] indices = new int[count];
    index.read(from, indices, 0, count);
    int tableRows = Math.toIntExact(dTable.dim(0));
    int[] ends = new int[tableRows + 1];
    for (int n = 0; n < count; n++) {
      check(indices[n], from + n, dTable);
      ends[indices[n] + 1]++;
    }
    for (int v = 0; v < tableRows; v++) {
      ends[v + 1] += ends[v];
    }
    int[] next = ends.clone();
    int[] order = new int[count];
    for (int n = 0; n < count; n++) {
      order[next[indices[n]]++] = n;
    }
    int columns = Math.toIntExact(dTable.dim(1));
    Tiles.ranges(
        pool,
        tableRows,
        TABLE_ROWS,
        (scratch, first, rows) -> {
          RowSum sum = new RowSum(columns);
          float[] row = scratch.array(0, columns);
          for (int v = (int) first; v < first + rows; v++) {
            if (ends[v] == ends[v + 1]) {
              continue;
            }
            sum.clear();
            for (int p = ends[v]; p < ends[v + 1]; p++) {
              dy.read((from + order[p]) * columns, row, 0, columns);
              sum.add(row, 0);
            }
            double[] total = sum.total();
            dTable.read((long) v * columns, row, 0, columns);
            for (int c = 0; c < columns; c++) {
              row[c] = (float) (row[c] + total[c]);
            }
            dTable.write((long) v * columns, row, 0, columns);
          }
        });
  }
}
