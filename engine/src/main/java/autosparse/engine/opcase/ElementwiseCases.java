package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.opcase.Invocation.Gradient;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.ElementwiseOperators;
import java.util.ArrayList;
import java.util.List;

/** Operators on single elements; the free size is the number of rows of three. */
final class ElementwiseCases {
  private static final int COLUMNS = 3;

  private ElementwiseCases() {}

  /** What a case binds: its operators, inputs [size, 3] and output. */
  private record Bound(ElementwiseOperators operators, Tensor x, Tensor other, Tensor y) {}

  @FunctionalInterface
  private interface Call {
    void run(Bound bound);
  }

  @FunctionalInterface
  private interface Slope {
    List<Tensor> run(Bound bound, TensorScope scope, Tensor dy);
  }

  static List<OpCase> all() {
    List<OpCase> cases = new ArrayList<>();
    cases.add(
        unary(
            "copy",
            Tolerance.EXACT,
            0,
            b -> b.operators.copy(b.x, b.y),
            (b, s, dy) -> List.of(dy)));
    cases.add(
        unary(
            "scale",
            Tolerance.SINGLE,
            1,
            b -> b.operators.scale(-1.5, b.x, b.y),
            (b, s, dy) -> mapped(s, dy, dx -> b.operators.scale(-1.5, dy, dx))));
    for (Activation activation : Activation.values()) {
      cases.add(
          unary(
              "activation " + activation,
              activation == Activation.GELU ? Tolerance.SINGLE : Tolerance.EXACT,
              activation == Activation.GELU ? 30 : 1,
              b -> b.operators.activation(activation, b.x, b.y),
              (b, s, dy) ->
                  mapped(s, dy, dx -> b.operators.activationBackward(activation, b.x, dy, dx))));
      cases.add(
          binary(
              "activationBackward " + activation,
              activation == Activation.GELU ? Tolerance.SINGLE : Tolerance.EXACT,
              b -> b.operators.activationBackward(activation, b.x, b.other, b.y),
              null));
    }
    for (double keep : new double[] {0.9, 0.25, 1}) {
      cases.add(
          unary(
              "dropout keep=" + keep,
              Tolerance.SINGLE,
              1,
              b -> b.operators.dropout(b.x, keep, 77, b.y),
              (b, s, dy) -> mapped(s, dy, dx -> b.operators.dropout(dy, keep, 77, dx))));
    }
    cases.add(
        binary(
            "add",
            Tolerance.SINGLE,
            b -> b.operators.add(b.x, b.other, b.y),
            (b, s, dy) -> List.of(dy, dy)));
    cases.add(
        binary(
            "add in place",
            Tolerance.SINGLE,
            b -> {
              b.operators.copy(b.x, b.y);
              b.operators.add(b.y, b.other, b.y);
            },
            (b, s, dy) -> List.of(dy, dy)));
    cases.add(fill());
    cases.add(cast(true));
    cases.add(cast(false));
    cases.add(axpy());
    cases.add(scaleGroups(COLUMNS));
    cases.add(scaleGroups(1));
    cases.add(copyColumns(false));
    cases.add(copyColumns(true));
    return cases.stream().map(OpCase::ofActivations).toList();
  }

  private static List<Tensor> mapped(
      TensorScope scope, Tensor dy, java.util.function.Consumer<Tensor> operator) {
    Tensor dx = scope.workspaceLike(dy);
    operator.accept(dx);
    return List.of(dx);
  }

  private static OpCase unary(
      String name, Tolerance tolerance, double flops, Call call, Slope slope) {
    return pointwise(name, tolerance, flops, false, call, slope);
  }

  private static OpCase binary(String name, Tolerance tolerance, Call call, Slope slope) {
    return pointwise(name, tolerance, 1, true, call, slope);
  }

  private static OpCase pointwise(
      String name, Tolerance tolerance, double flops, boolean two, Call call, Slope slope) {
    return new OpCase(
        name,
        "elementwise",
        tolerance,
        OpCase.ODD_SIZES,
        1 << 22,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          Tensor x = values.activationOutput("x", size, COLUMNS);
          values.setActivation(x, values.awayFromZero(x.elements(), 0.01, 3));
          Tensor other = two ? values.activation("other", size, COLUMNS) : null;
          Bound bound =
              new Bound(
                  scope.device().operators().elementwise(),
                  x,
                  other,
                  values.activationOutput("y", size, COLUMNS));
          Gradient gradient =
              slope == null
                  ? null
                  : (results, dOutputs) -> slope.run(bound, results, dOutputs.get(0));
          return Invocation.of(
              two ? List.of(x, other) : List.of(x),
              List.of(bound.y),
              () -> call.run(bound),
              gradient,
              flops * size * COLUMNS);
        });
  }

  private static OpCase fill() {
    return new OpCase(
        "fill",
        "elementwise",
        Tolerance.EXACT,
        OpCase.ODD_SIZES,
        1 << 24,
        (scope, size, draw) -> {
          Tensor y = new Values(scope, draw).activationOutput("y", size);
          ElementwiseOperators operators = scope.device().operators().elementwise();
          return Invocation.of(List.of(), List.of(y), () -> operators.fill(y, 0.25), null, 0);
        });
  }

  /** To and from the type of activations; a copy where that is the real one. */
  private static OpCase cast(boolean toActivation) {
    return new OpCase(
        "cast " + (toActivation ? "to activation" : "to real"),
        "elementwise",
        Tolerance.EXACT,
        OpCase.ODD_SIZES,
        1 << 24,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          Tensor x = toActivation ? values.real("x", size) : values.activation("x", size);
          Tensor y = toActivation ? values.activationOutput("y", size) : values.output("y", size);
          ElementwiseOperators operators = scope.device().operators().elementwise();
          return Invocation.of(
              List.of(x),
              List.of(y),
              () -> operators.cast(x, y),
              (results, dOutputs) -> {
                Tensor dx = results.workspaceLike(x);
                operators.cast(dOutputs.get(0), dx);
                return List.of(dx);
              },
              0);
        });
  }

  private static OpCase axpy() {
    return new OpCase(
        "axpy",
        "elementwise",
        Tolerance.SINGLE,
        OpCase.ODD_SIZES,
        1 << 24,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          Tensor x = values.activation("x", size);
          Tensor y = values.activation("y", size);
          ElementwiseOperators operators = scope.device().operators().elementwise();
          return Invocation.of(
              List.of(x, y),
              List.of(y),
              () -> operators.axpy(0.75, x, y),
              (results, dOutputs) -> {
                Tensor dx = results.workspaceLike(x);
                operators.scale(0.75, dOutputs.get(0), dx);
                return List.of(dx, dOutputs.get(0));
              },
              2.0 * size);
        });
  }

  private static OpCase scaleGroups(int columns) {
    return new OpCase(
        "scaleGroups C=" + columns,
        "elementwise",
        Tolerance.SINGLE,
        List.of(0L, 1L, 31L, 33L, 1025L, 20001L),
        1 << 22,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          long[] groups = Values.segments(size, 0, 5, 1, 0, 700);
          Tensor x =
              columns == 1 ? values.activation("x", size) : values.activation("x", size, columns);
          Tensor factor = values.real("factor", groups.length - 1);
          Tensor offsets = values.longs("offsets", groups);
          Tensor y = scope.create("y", x.dtype(), x.tag(), x.shape().toArray());
          ElementwiseOperators operators = scope.device().operators().elementwise();
          return Invocation.of(
              List.of(x, offsets),
              List.of(y),
              () -> operators.scaleGroups(x, factor, offsets, y),
              (results, dOutputs) -> {
                Tensor dx = results.workspaceLike(x);
                operators.scaleGroups(dOutputs.get(0), factor, offsets, dx);
                return java.util.Arrays.asList(dx, null);
              },
              (double) x.elements());
        });
  }

  private static OpCase copyColumns(boolean accumulate) {
    return new OpCase(
        "copyColumns" + (accumulate ? " accumulating" : ""),
        "elementwise",
        accumulate ? Tolerance.SINGLE : Tolerance.EXACT,
        OpCase.ODD_SIZES,
        1 << 18,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          Tensor x = values.activation("x", size, 9);
          Tensor y = values.activation("y", size, 12);
          ElementwiseOperators operators = scope.device().operators().elementwise();
          return Invocation.of(
              List.of(x),
              List.of(y),
              () -> operators.copyColumns(x, 2, y, 7, 5, accumulate),
              (results, dOutputs) -> {
                Tensor dx = results.workspaceLike(x);
                operators.fill(dx, 0);
                operators.copyColumns(dOutputs.get(0), 7, dx, 2, 5, false);
                return List.of(dx);
              },
              accumulate ? 5.0 * size : 0);
        });
  }
}
