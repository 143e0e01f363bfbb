package autosparse.tuner.codegen;

import autosparse.schedule.Problem;
import autosparse.schedule.ScheduleGeometry.Part;
import autosparse.tuner.codegen.Accumulation.Update;
import autosparse.tuner.codegen.Accumulation.Zeroing;
import autosparse.tuner.codegen.LoopNest.Kind;
import autosparse.tuner.codegen.LoopNest.Loop;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a loop nest for people: a line a loop, indented as they nest.
 *
 * <pre>
 * spmm, A 4284 x 4284, nnz 109368, j = 128
 * i0         268 = ceil(i / 16)  A: d  parallel, 2 threads, chunk 32
 *   k        4284                A: s  summed over
 *     i1     16                  A: d
 *       j    128                       vectorised
 *            out[i, j] += A[i, k] * b[k, j]
 * </pre>
 *
 * <p>After {@code A:} stands the mode of A's level: d dense, s compressed, u compressed non-unique,
 * q singleton, c singleton non-unique. Sizes of loops over s and u are upper bounds.
 */
public final class LoopNestPrinter {
  private final LoopNest nest;
  private final List<String> lines = new ArrayList<>();

  private LoopNestPrinter(LoopNest nest) {
    this.nest = nest;
  }

  /** The lines, without line breaks. */
  public static List<String> print(LoopNest nest) {
    return new LoopNestPrinter(nest).print();
  }

  private List<String> print() {
    Problem problem = nest.problem();
    lines.add(
        problem.op().id()
            + ", A "
            + problem.rows()
            + " x "
            + problem.cols()
            + ", nnz "
            + problem.nnz()
            + problem.op().denseAxis().map(a -> ", " + a + " = " + problem.denseSize()).orElse(""));
    Accumulation accumulation = nest.accumulation();
    String result = result();
    if (accumulation.zeroing() == Zeroing.WHOLE) {
      statement(0, "out = 0");
    }
    int depth = 0;
    for (Loop loop : nest.loops()) {
      if (depth == accumulation.firstReduction() && accumulation.zeroing() == Zeroing.PIECE) {
        statement(depth, result + " = 0 for all " + lastAxis() + " inside");
      }
      if (depth == accumulation.sumDepth()) {
        statement(depth, "sum = 0");
      }
      loop(depth++, loop);
    }
    String value = "A[" + String.join(", ", problem.op().sparseAxes()) + "]";
    String product = Formula.of(problem.op()).product();
    boolean sums = accumulation.sumDepth() < nest.loops().size();
    boolean valueAfter = sums && accumulation.sumDepth() > nest.lastLevelDepth();
    String sign = accumulation.update() == Update.STORE ? " = " : " += ";
    String atomic = accumulation.update() == Update.ATOMIC_ADD ? ", atomically" : "";
    if (sums) {
      statement(depth, "sum += " + (valueAfter ? product : value + " * " + product));
      statement(
          accumulation.sumDepth(),
          result + sign + (valueAfter ? value + " * sum" : "sum") + atomic);
    } else {
      statement(depth, result + sign + value + " * " + product + atomic);
    }
    return List.copyOf(lines);
  }

  private String result() {
    return Formula.of(nest.problem().op())
        .output()
        .map(Formula.Access::toString)
        .orElse("out[" + String.join(", ", nest.problem().op().sparseAxes()) + "]");
  }

  private String lastAxis() {
    List<String> axes = Formula.of(nest.problem().op()).output().orElseThrow().axes();
    return axes.get(axes.size() - 1);
  }

  private void statement(int depth, String text) {
    lines.add("  ".repeat(depth) + text);
  }

  private void loop(int depth, Loop loop) {
    List<String> marks = new ArrayList<>();
    if (loop.reduction()) {
      marks.add("summed over");
    }
    if (loop.parallel()) {
      marks.add(
          "parallel, " + nest.schedule().threads() + " threads, chunk " + nest.schedule().chunk());
    }
    if (loop.shape().vectorized()) {
      marks.add(nest.isVectorized(loop) ? "vectorised" : "not vectorised: updates are atomic");
    }
    if (loop.shape().unrolled()) {
      marks.add("unrolled by " + nest.schedule().unrollFactor());
    }
    String size = Long.toString(loop.shape().size());
    if (loop.shape().part() == Part.OUTER) {
      size += " = ceil(" + loop.axis() + " / " + loop.innerSize() + ")";
    }
    if (loop.kind() == Kind.SINGLETON) {
      size = "1";
    }
    String name = "  ".repeat(depth) + loop.name();
    String level = loop.shape().mode().map(mode -> "A: " + mode.letter()).orElse("");
    lines.add(
        (pad(name, 2 * nest.loops().size() + 2) + pad(size, 24) + pad(level, 6))
            .concat(String.join("; ", marks))
            .stripTrailing());
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(1, width - text.length()));
  }
}
