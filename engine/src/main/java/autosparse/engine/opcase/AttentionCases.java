package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.opcase.Invocation.Gradient;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.operators.AttentionOperators;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Attention over packed sequences; the free size is the number of tokens. */
final class AttentionCases {
  private AttentionCases() {}

  /** Which sequences the tokens make: lengths over and over; none means one long sequence. */
  private record Form(String name, int heads, int d, long benchmarkSize, int... lengths) {}

  static List<OpCase> all() {
    List<OpCase> cases = new ArrayList<>();
    for (Form form :
        List.of(
            new Form("L=12 H=8 d=32", 8, 32, 9216, 12),
            new Form("mixed H=4 d=8", 4, 8, 9216, 12, 0, 1, 33, 64, 5),
            new Form("wide heads H=2 d=40", 2, 40, 4096, 20, 3, 50),
            new Form("one sequence H=1 d=5", 1, 5, 1024))) {
      // Scores, their exponentials and the output.
      cases.add(attention(form).ofProducts().rounded(3));
      // Scores, their exponentials, the gradients of both and of q, k and v.
      cases.add(attentionBackward(form).ofProducts().rounded(5));
    }
    return cases;
  }

  private static final class Bound {
    final Form form;
    final Values values;
    final AttentionOperators operators;
    final Tensor qkv;
    final Tensor offsets;
    final Tensor out;
    final Tensor logSumExp;
    final double scores;

    Bound(Form form, TensorScope scope, long tokens, Draw draw) {
      this.form = form;
      int channels = form.heads() * form.d();
      values = new Values(scope, draw);
      operators = scope.device().operators().attention();
      qkv = values.activationBetween("qkv", -2, 2, tokens, 3L * channels);
      long[] starts =
          form.lengths().length == 0
              ? new long[] {0, tokens}
              : Values.segments(tokens, form.lengths());
      offsets = values.longs("offsets", starts);
      out = values.activationOutput("out", tokens, channels);
      logSumExp = values.output("log sum exp", tokens, form.heads());
      double pairs = 0;
      for (int s = 0; s + 1 < starts.length; s++) {
        pairs += Math.pow((double) (starts[s + 1] - starts[s]), 2);
      }
      scores = pairs * form.heads();
    }

    void forward() {
      operators.attention(qkv, offsets, form.heads(), out, logSumExp);
    }

    void backward(Tensor dOut, Tensor dQkv) {
      operators.attentionBackward(qkv, offsets, form.heads(), out, logSumExp, dOut, dQkv);
    }
  }

  private static OpCase attention(Form form) {
    return new OpCase(
        "attention " + form.name(),
        "attention",
        Tolerance.SINGLE,
        OpCase.ODD_SIZES,
        form.benchmarkSize(),
        (scope, size, draw) -> {
          Bound bound = new Bound(form, scope, size, draw);
          return Invocation.of(
              List.of(bound.qkv, bound.offsets),
              List.of(bound.out, bound.logSumExp),
              bound::forward,
              Gradient.ofFirst(
                  1,
                  (results, dOutputs) -> {
                    Tensor dQkv = results.workspaceLike(bound.qkv);
                    bound.backward(dOutputs.get(0), dQkv);
                    return Arrays.asList(dQkv, null);
                  }),
              4 * bound.scores * form.d());
        });
  }

  private static OpCase attentionBackward(Form form) {
    return new OpCase(
        "attentionBackward " + form.name(),
        "attention",
        Tolerance.SINGLE,
        OpCase.ODD_SIZES,
        form.benchmarkSize(),
        (scope, size, draw) -> {
          Bound bound = new Bound(form, scope, size, draw);
          bound.forward();
          draw.roundActivation(bound.out);
          Tensor dOut = bound.values.activation("dOut", bound.out.shape().toArray());
          Tensor dQkv = bound.values.activationOutput("dQkv", bound.qkv.shape().toArray());
          return Invocation.of(
              List.of(bound.qkv, bound.offsets, bound.out, bound.logSumExp, dOut),
              List.of(dQkv),
              () -> bound.backward(dOut, dQkv),
              null,
              10 * bound.scores * form.d());
        });
  }
}
