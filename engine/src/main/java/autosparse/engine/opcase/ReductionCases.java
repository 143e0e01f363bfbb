package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.operators.ReductionOperators;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Sums over rows; the free size is their number. */
final class ReductionCases {
  private ReductionCases() {}

  static List<OpCase> all() {
    List<OpCase> cases = new ArrayList<>();
    cases.add(columnSum(20, false));
    cases.add(columnSum(1, true));
    cases.add(columnSum(264, true));
    cases.add(reluColumnSum(21));
    cases.add(reluColumnSum(72));
    cases.add(segmentSum(1));
    cases.add(segmentSum(21));
    cases.add(segmentBroadcast());
    cases.add(sum());
    return cases;
  }

  private static OpCase columnSum(int columns, boolean accumulate) {
    return new OpCase(
            "columnSum C=" + columns + (accumulate ? " accumulating" : ""),
            "reduction",
            Tolerance.SINGLE,
            List.of(0L, 1L, 31L, 32L, 33L, 1023L, 1025L, 40000L),
            1 << 18,
            (scope, size, draw) -> {
              Values values = new Values(scope, draw);
              Tensor x = values.activation("x", size, columns);
              Tensor y = accumulate ? values.real("y", columns) : values.output("y", columns);
              ReductionOperators reduction = scope.device().operators().reduction();
              return Invocation.of(
                  accumulate ? List.of(x, y) : List.of(x),
                  List.of(y),
                  () -> reduction.columnSum(x, accumulate, y),
                  (results, dOutputs) -> {
                    Tensor dy = dOutputs.get(0);
                    Tensor dx = results.workspaceLike(x);
                    Tensor whole = new Values(results, draw).longs("whole", 0, size);
                    reduction.segmentBroadcast(dy.view(1, columns), whole, dx);
                    return accumulate ? List.of(dx, dy) : List.of(dx);
                  },
                  (double) x.elements());
            })
        .ofActivations();
  }

  private static OpCase reluColumnSum(int columns) {
    return new OpCase(
            "reluColumnSum C=" + columns,
            "reduction",
            Tolerance.SINGLE,
            List.of(0L, 1L, 31L, 33L, 63L, 65L, 1025L, 10000L),
            1 << 16,
            (scope, size, draw) -> {
              Values values = new Values(scope, draw);
              Tensor output = values.activation("output", size, columns);
              Tensor dz = values.activation("dz", size, columns);
              Tensor db = values.real("db", columns);
              ReductionOperators reduction = scope.device().operators().reduction();
              return Invocation.of(
                  List.of(output, dz, db),
                  List.of(dz, db),
                  () -> reduction.reluColumnSum(output, dz, true, db),
                  null,
                  (double) dz.elements());
            })
        .ofActivations();
  }

  private static OpCase segmentSum(int columns) {
    return new OpCase(
        "segmentSum C=" + columns,
        "reduction",
        Tolerance.SINGLE,
        List.of(0L, 1L, 31L, 33L, 1025L, 30001L),
        9216,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          Tensor x = values.real("x", size, columns);
          Tensor offsets = values.longs("offsets", Values.segments(size, 12, 0, 1, 13, 2000));
          Tensor y = values.output("y", offsets.dim(0) - 1, columns);
          ReductionOperators reduction = scope.device().operators().reduction();
          return Invocation.of(
              List.of(x, offsets),
              List.of(y),
              () -> reduction.segmentSum(x, offsets, y),
              (results, dOutputs) -> {
                Tensor dx = results.workspaceLike(x);
                reduction.segmentBroadcast(dOutputs.get(0), offsets, dx);
                return Arrays.asList(dx, null);
              },
              (double) x.elements());
        });
  }

  private static OpCase segmentBroadcast() {
    return new OpCase(
        "segmentBroadcast",
        "reduction",
        Tolerance.EXACT,
        OpCase.ODD_SIZES,
        9216,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          Tensor offsets = values.longs("offsets", Values.segments(size, 0, 12, 33));
          Tensor y = values.real("y", offsets.dim(0) - 1, 5);
          Tensor x = values.output("x", size, 5);
          ReductionOperators reduction = scope.device().operators().reduction();
          return Invocation.of(
              List.of(y, offsets),
              List.of(x),
              () -> reduction.segmentBroadcast(y, offsets, x),
              (results, dOutputs) -> {
                Tensor dy = results.workspaceLike(y);
                reduction.segmentSum(dOutputs.get(0), offsets, dy);
                return Arrays.asList(dy, null);
              },
              0);
        });
  }

  private static OpCase sum() {
    return new OpCase(
        "sum",
        "reduction",
        Tolerance.SINGLE,
        List.of(0L, 1L, 31L, 32L, 33L, 1023L, 1025L, 300001L),
        1 << 24,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          Tensor x = values.between("x", 0, 1, size);
          Tensor y = values.output("y", 1);
          ReductionOperators reduction = scope.device().operators().reduction();
          return Invocation.of(
              List.of(x),
              List.of(y),
              () -> reduction.sum(x, y),
              (results, dOutputs) -> {
                Tensor dx = results.workspaceLike(x);
                Tensor whole = new Values(results, draw).longs("whole", 0, size);
                reduction.segmentBroadcast(dOutputs.get(0).view(1, 1), whole, dx.view(size, 1));
                return List.of(dx);
              },
              (double) size);
        });
  }
}
