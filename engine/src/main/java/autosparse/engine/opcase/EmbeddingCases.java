package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.operators.EmbeddingOperators;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows of a table; the free size is the number of rows taken. */
final class EmbeddingCases {
  private EmbeddingCases() {}

  static List<OpCase> all() {
    List<OpCase> cases = new ArrayList<>();
    for (int rows : new int[] {2, 37, 1000}) {
      cases.add(gather(rows).ofActivations());
      cases.add(gatherBackward(rows).ofActivations());
    }
    return cases;
  }

  private static OpCase gather(int rows) {
    return new OpCase(
        "gather V=" + rows,
        "embedding",
        Tolerance.EXACT,
        OpCase.ODD_SIZES,
        1 << 16,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          Tensor table = values.activation("table", rows, 19);
          Tensor index = values.ints("index", values.indices(size, rows));
          Tensor y = values.activationOutput("y", size, 19);
          EmbeddingOperators embedding = scope.device().operators().embedding();
          return Invocation.of(
              List.of(table, index),
              List.of(y),
              () -> embedding.gather(table, index, y),
              (results, dOutputs) -> {
                Tensor dTable = results.workspaceLike(table);
                results.device().operators().elementwise().fill(dTable, 0);
                embedding.gatherBackward(dOutputs.get(0), index, dTable);
                return Arrays.asList(dTable, null);
              },
              0);
        });
  }

  private static OpCase gatherBackward(int rows) {
    return new OpCase(
        "gatherBackward V=" + rows,
        "embedding",
        Tolerance.SINGLE,
        OpCase.ODD_SIZES,
        1 << 16,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          Tensor dy = values.activation("dy", size, 19);
          Tensor index = values.ints("index", values.indices(size, rows));
          Tensor dTable = values.activation("dTable", rows, 19);
          EmbeddingOperators embedding = scope.device().operators().embedding();
          return Invocation.of(
              List.of(dy, index),
              List.of(dTable),
              () -> embedding.gatherBackward(dy, index, dTable),
              null,
              (double) dy.elements());
        });
  }
}
