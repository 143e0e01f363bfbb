package autosparse.autograd;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.ElementwiseOperators;
import java.util.List;
import java.util.function.Consumer;

/**
 * Differentiable dense functions. What they give has the type of their (first) input, an activation
 * or real. Arguments whose shapes or types do not fit are refused by the operators: an {@link
 * IllegalArgumentException} that names operator, argument and what was expected.
 */
public final class DenseFunctions {
  private DenseFunctions() {}

  /**
   * activation(x·weightᵀ + bias).
   *
   * @param x [N, in]
   * @param weight [out, in], real; rounded to the type of x for the products
   * @param bias [out], real, or null for none
   * @param activation any; GELU runs as an operator of its own
   * @return [N, out]
   */
  public static Variable linear(
      Tape tape, Variable x, Variable weight, Variable bias, Activation activation) {
    if (activation == Activation.GELU) {
      Variable z = linear(tape, x, weight, bias, Activation.IDENTITY);
      Variable y = activation(tape, activation, z);
      tape.discard(z);
      return y;
    }
    List<Variable> inputs = bias == null ? List.of(x, weight) : List.of(x, weight, bias);
    Variable y = tape.output("linear", inputs, x.value().dim(0), weight.value().dim(0));
    Tensor rounded = rounded(tape, weight.value(), x.value());
    var gemm = tape.operators().gemm();
    gemm.linear(x.value(), rounded, bias == null ? null : bias.value(), activation, y.value());
    tape.record(
        "linear",
        List.of(y),
        rounded == weight.value() ? List.of() : List.of(rounded),
        () -> {
          Tensor dz = y.gradient();
          biasAndActivationBackward(tape, activation, y.value(), dz, bias);
          tape.accumulate(weight, dw -> gemm.gemm(true, dz, false, x.value(), 1, 1, dw));
          tape.gradientOrSum(
              x, (dx, add) -> gemm.gemm(false, dz, false, rounded, 1, add ? 1 : 0, dx));
        });
    return y;
  }

  /** The weight in the type of x, rounded once for the passes forward and backward. */
  private static Tensor rounded(Tape tape, Tensor weight, Tensor x) {
    if (weight.dtype() == x.dtype() || x.dtype() == tape.scope().device().real()) {
      return weight;
    }
    Tensor rounded =
        tape.scope()
            .create("rounded weight", x.dtype(), MemoryTag.ACTIVATION, weight.shape().toArray());
    tape.operators().elementwise().cast(weight, rounded);
    return rounded;
  }

  /**
   * dz in place, since the gradient of y is read by its own step alone; and the bias's gradient.
   */
  private static void biasAndActivationBackward(
      Tape tape, Activation activation, Tensor y, Tensor dz, Variable bias) {
    boolean relu = activation == Activation.RELU;
    var reduction = tape.operators().reduction();
    if (bias != null && bias.isDifferentiable()) {
      tape.accumulate(
          bias,
          db -> {
            if (relu) {
              reduction.reluColumnSum(y, dz, true, db);
            } else {
              reduction.columnSum(dz, true, db);
            }
          });
    } else if (relu) {
      tape.operators().elementwise().activationBackward(activation, y, dz, dz);
    }
  }

  /** x in another real type; x itself where it has that type. */
  public static Variable cast(Tape tape, Variable x, DType dtype) {
    if (x.value().dtype() == dtype) {
      return x;
    }
    Variable y = tape.output("cast", dtype, List.of(x), x.value().shape().toArray());
    ElementwiseOperators elementwise = tape.operators().elementwise();
    elementwise.cast(x.value(), y.value());
    tape.record(
        "cast",
        List.of(y),
        List.of(),
        () -> tape.gradient(x, dx -> elementwise.cast(y.gradient(), dx)));
    return y;
  }

  /** activation(x), in the shape of x. */
  public static Variable activation(Tape tape, Activation activation, Variable x) {
    Variable y = tape.output("activation", List.of(x), x.value().shape().toArray());
    ElementwiseOperators elementwise = tape.operators().elementwise();
    elementwise.activation(activation, x.value(), y.value());
    tape.record(
        "activation",
        List.of(y),
        List.of(),
        () ->
            tape.gradient(
                x, dx -> elementwise.activationBackward(activation, x.value(), y.gradient(), dx)));
    return y;
  }

  /** a + b, which have one shape and type. */
  public static Variable add(Tape tape, Variable a, Variable b) {
    Variable y = tape.output("add", List.of(a, b), a.value().shape().toArray());
    ElementwiseOperators elementwise = tape.operators().elementwise();
    elementwise.add(a.value(), b.value(), y.value());
    tape.record(
        "add",
        List.of(y),
        List.of(),
        () -> {
          tape.gradient(b, db -> elementwise.copy(y.gradient(), db));
          tape.pass(y, a);
        });
    return y;
  }

  /**
   * Inverted dropout (Srivastava et al., 2014): x/keep with probability keep, else 0. On a tape
   * that does not train, or when keep is 1, x itself.
   *
   * @param keep in (0, 1]
   * @param stream name of the random stream, see {@link Tape#seed}
   */
  public static Variable dropout(Tape tape, Variable x, double keep, String stream) {
    if (!tape.isTraining() || keep == 1) {
      return x;
    }
    long seed = tape.seed(stream);
    Variable y = tape.output("dropout", List.of(x), x.value().shape().toArray());
    ElementwiseOperators elementwise = tape.operators().elementwise();
    elementwise.dropout(x.value(), keep, seed, y.value());
    tape.record(
        "dropout",
        List.of(y),
        List.of(),
        () -> tape.gradient(x, dx -> elementwise.dropout(y.gradient(), keep, seed, dx)));
    return y;
  }

  /**
   * gamma·(x − mean)/√(variance + epsilon) + beta over each row (Ba, Kiros, Hinton, 2016), with the
   * biased variance.
   *
   * @param x [N, C]
   * @param gamma [C], real
   * @param beta [C], real
   * @return [N, C]
   */
  public static Variable layerNorm(
      Tape tape, Variable x, Variable gamma, Variable beta, double epsilon) {
    long rows = x.value().dim(0);
    Variable y = tape.output("layerNorm", List.of(x, gamma, beta), x.value().shape().toArray());
    Tensor mean = tape.save("mean", rows);
    Tensor inverseDeviation = tape.save("inverse deviation", rows);
    var normalization = tape.operators().normalization();
    normalization.layerNorm(
        x.value(), gamma.value(), beta.value(), epsilon, y.value(), mean, inverseDeviation);
    tape.record(
        "layerNorm",
        List.of(y),
        List.of(mean, inverseDeviation),
        () ->
            addGradient(
                tape,
                gamma,
                dGamma ->
                    addGradient(
                        tape,
                        beta,
                        dBeta ->
                            writeGradient(
                                tape,
                                x,
                                dx ->
                                    normalization.layerNormBackward(
                                        x.value(),
                                        gamma.value(),
                                        mean,
                                        inverseDeviation,
                                        y.gradient(),
                                        dx,
                                        dGamma,
                                        dBeta)))));
    return y;
  }

  /** As {@link Tape#gradient}, but runs the operator even when x itself needs no gradient. */
  private static void writeGradient(Tape tape, Variable x, Consumer<Tensor> write) {
    if (x.isDifferentiable()) {
      tape.gradient(x, write);
      return;
    }
    Tensor unused = tape.scope().workspaceLike(x.value());
    write.accept(unused);
    tape.scope().release(unused);
  }

  /** As {@link Tape#accumulate}, but runs the operator even when the weight is frozen. */
  private static void addGradient(Tape tape, Variable weight, Consumer<Tensor> add) {
    if (weight.isDifferentiable()) {
      tape.accumulate(weight, add);
      return;
    }
    Tensor unused = tape.scope().workspaceLike(weight.value());
    tape.operators().elementwise().fill(unused, 0);
    add.accept(unused);
    tape.scope().release(unused);
  }

  /**
   * Multi-head self-attention over packed sequences (Vaswani et al., 2017): softmax(q·kᵀ/√d)·v
   * within each sequence and head, without a mask.
   *
   * @param qkv [T, 3·C]: columns q, then k, then v; each is the heads side by side
   * @param offsets I64 [B+1], the first token of each sequence, then T
   * @param heads H, a divisor of C; d = C/H
   * @return [T, C]
   */
  public static Variable attention(Tape tape, Variable qkv, Tensor offsets, int heads) {
    long tokens = qkv.value().dim(0);
    Variable y = tape.output("attention", List.of(qkv), tokens, qkv.value().dim(1) / 3);
    Tensor logSumExp = tape.save("log-sum-exp", tokens, heads);
    var attention = tape.operators().attention();
    attention.attention(qkv.value(), offsets, heads, y.value(), logSumExp);
    tape.record(
        "attention",
        List.of(y),
        List.of(logSumExp),
        () ->
            tape.gradient(
                qkv,
                dQkv ->
                    attention.attentionBackward(
                        qkv.value(), offsets, heads, y.value(), logSumExp, y.gradient(), dQkv)));
    return y;
  }

  /**
   * Rows of a table: table [V, C] → [N, C].
   *
   * @param index I32 [N], each from 0 to V − 1; host devices refuse another with an {@link
   *     IndexOutOfBoundsException}
   */
  public static Variable gather(Tape tape, Variable table, Tensor index) {
    Variable y = tape.output("gather", List.of(table), index.dim(0), table.value().dim(1));
    var embedding = tape.operators().embedding();
    embedding.gather(table.value(), index, y.value());
    tape.record(
        "gather",
        List.of(y),
        List.of(),
        () -> tape.accumulate(table, dt -> embedding.gatherBackward(y.gradient(), index, dt)));
    return y;
  }

  /**
   * Sum of each segment's rows: x [T, C] → [S, C].
   *
   * @param x real
   * @param offsets I64 [S+1], the first row of each segment, then T
   */
  public static Variable segmentSum(Tape tape, Variable x, Tensor offsets) {
    Variable y = tape.output("segmentSum", List.of(x), offsets.dim(0) - 1, x.value().dim(1));
    var reduction = tape.operators().reduction();
    reduction.segmentSum(x.value(), offsets, y.value());
    tape.record(
        "segmentSum",
        List.of(y),
        List.of(),
        () -> tape.gradient(x, dx -> reduction.segmentBroadcast(y.gradient(), offsets, dx)));
    return y;
  }

  /** Side by side: parts [N, C_p], at least one → [N, Σ C_p]. */
  public static Variable concatColumns(Tape tape, List<Variable> parts) {
    long rows = parts.get(0).value().dim(0);
    long columns = parts.stream().mapToLong(part -> part.value().dim(1)).sum();
    Variable y = tape.output("concatColumns", parts, rows, columns);
    ElementwiseOperators elementwise = tape.operators().elementwise();
    long at = 0;
    for (Variable part : parts) {
      elementwise.copyColumns(part.value(), 0, y.value(), at, part.value().dim(1), false);
      at += part.value().dim(1);
    }
    tape.record(
        "concatColumns",
        List.of(y),
        List.of(),
        () -> {
          long from = 0;
          for (Variable part : parts) {
            long start = from;
            long width = part.value().dim(1);
            tape.gradient(
                part, dx -> elementwise.copyColumns(y.gradient(), start, dx, 0, width, false));
            from += width;
          }
        });
    return y;
  }

  /** On top of each other: parts [N_p, C], at least one → [Σ N_p, C]. */
  public static Variable concatRows(Tape tape, List<Variable> parts) {
    long columns = parts.get(0).value().dim(1);
    long rows = parts.stream().mapToLong(part -> part.value().dim(0)).sum();
    Variable y = tape.output("concatRows", parts, rows, columns);
    ElementwiseOperators elementwise = tape.operators().elementwise();
    long at = 0;
    for (Variable part : parts) {
      long height = part.value().dim(0);
      elementwise.copy(part.value(), y.value().rows(at, at + height));
      at += height;
    }
    tape.record(
        "concatRows",
        List.of(y),
        List.of(),
        () -> {
          long from = 0;
          for (Variable part : parts) {
            Tensor slice = y.gradient().rows(from, from + part.value().dim(0));
            tape.gradient(part, dx -> elementwise.copy(slice, dx));
            from += part.value().dim(0);
          }
        });
    return y;
  }

  /** The same values, in row-major order, under another shape of as many elements. */
  public static Variable reshape(Tape tape, Variable x, long... sizes) {
    Variable y = tape.output("reshape", List.of(x), sizes);
    ElementwiseOperators elementwise = tape.operators().elementwise();
    long[] flat = {x.value().elements()};
    elementwise.copy(x.value().view(flat), y.value().view(flat));
    tape.record(
        "reshape",
        List.of(y),
        List.of(),
        () -> tape.gradient(x, dx -> elementwise.copy(y.gradient().view(flat), dx.view(flat))));
    return y;
  }
}
