package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.I32;
import static autosparse.engine.cuda.Activations.address;
import static autosparse.engine.cuda.Activations.requireAligned;
import static autosparse.engine.cuda.Activations.storage;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.EmbeddingOperators;
import autosparse.kernels.CudaContext;
import autosparse.kernels.EmbeddingKernels;

/**
 * Rows copied; the gradient of a small table compares its rows with the indices, that of a large
 * one sorts them, so that each table row has one owner. An index outside the table is not looked
 * for, which would stop the queue: it gives a row of NaN.
 */
final class CudaEmbedding extends EmbeddingOperators {
  private final EmbeddingKernels kernels;

  CudaEmbedding(CudaContext context) {
    kernels = new EmbeddingKernels(context);
  }

  @Override
  protected void applyGather(Tensor table, Tensor index, Tensor y) {
    requireAligned(table, table.dim(1), 4);
    requireAligned(y, table.dim(1), 4);
    kernels.gather(
        storage(y),
        address(table),
        index.deviceAddress(I32),
        address(y),
        y.dim(0),
        Math.toIntExact(table.dim(0)),
        Math.toIntExact(table.dim(1)));
  }

  @Override
  protected void applyGatherBackward(Tensor dy, Tensor index, Tensor dTable) {
    int rows = Math.toIntExact(index.dim(0));
    int tableRows = Math.toIntExact(dTable.dim(0));
    int columns = Math.toIntExact(dTable.dim(1));
    if (rows == 0) {
      return;
    }
    try (TensorScope scope = dTable.device().root().child("gather backward")) {
      if (EmbeddingKernels.isSmall(rows, tableRows)) {
        kernels.addMatches(
            storage(dy),
            index.deviceAddress(I32),
            address(dy),
            rows,
            tableRows,
            columns,
            partials(scope, tableRows, EmbeddingKernels.matchSlices(rows), columns),
            address(dTable));
      } else {
        addSorted(scope, dy, index, dTable);
      }
    }
  }

  private void addSorted(TensorScope scope, Tensor dy, Tensor index, Tensor dTable) {
    int rows = (int) index.dim(0);
    int tableRows = (int) dTable.dim(0);
    int columns = (int) dTable.dim(1);
    Tensor counts = workspace(scope, "digits", EmbeddingKernels.counts(rows));
    Tensor[] keys = {workspace(scope, "keys", rows), workspace(scope, "sorted keys", rows)};
    Tensor[] positions = {
      workspace(scope, "positions", rows), workspace(scope, "sorted positions", rows)
    };
    int passes = EmbeddingKernels.passes(tableRows);
    for (int pass = 0; pass < passes; pass++) {
      int from = pass % 2;
      kernels.sort(
          pass,
          (pass == 0 ? index : keys[from]).deviceAddress(I32),
          positions[from].deviceAddress(I32),
          rows,
          tableRows,
          counts.deviceAddress(I32),
          keys[1 - from].deviceAddress(I32),
          positions[1 - from].deviceAddress(I32));
    }
    kernels.addRuns(
        storage(dy),
        keys[passes % 2].deviceAddress(I32),
        positions[passes % 2].deviceAddress(I32),
        address(dy),
        rows,
        tableRows,
        columns,
        workspace(scope, "starts", tableRows + 1L).deviceAddress(I32),
        partials(scope, tableRows, EmbeddingKernels.slices(rows, tableRows), columns),
        address(dTable));
  }

  private static long partials(TensorScope scope, int tableRows, long slices, int columns) {
    return scope
        .create("sums of each slice", F32, MemoryTag.WORKSPACE, tableRows, slices, columns)
        .deviceAddress(F32);
  }

  private static Tensor workspace(TensorScope scope, String name, long elements) {
    return scope.create(name, I32, MemoryTag.WORKSPACE, elements);
  }
}
