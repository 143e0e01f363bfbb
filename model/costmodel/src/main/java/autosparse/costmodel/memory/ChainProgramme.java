package autosparse.costmodel.memory;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Which layers of a chain to keep and which to compute again, for every number of bytes: the exact
 * dynamic programme for heterogeneous chains of "rotor" (Beaumont, Eyraud-Dubois, Herrmann, Joly,
 * Shilova, "Optimal checkpointing for heterogeneous chains", INRIA RR-9302, 2019; its persistent
 * schedules). That one divides the budget into slots; this one carries, for each run of layers, all
 * undominated pairs of bytes and time instead, so nothing is rounded.
 *
 * <p>A run of layers s..t, whose input somebody else holds, is either layer s kept and then s+1..t,
 * or s..m computed without keeping, m+1..t, and s..m once more when its gradient has come.
 */
public final class ChainProgramme {
  /**
   * One layer.
   *
   * @param activation bytes of its output, as of its output's gradient
   * @param forwardWorkspace bytes of temporaries of its forward pass
   * @param backwardWorkspace bytes of temporaries of its backward pass
   * @param forwardSeconds what computing it once more takes
   */
  public record Layer(
      long activation, long forwardWorkspace, long backwardWorkspace, double forwardSeconds) {}

  /**
   * One way to run the chain.
   *
   * @param bytes peak of activations, their gradients and temporaries, the chain's input left out
   * @param recomputeSeconds what is computed more than once takes
   */
  public record Solution(long bytes, double recomputeSeconds, List<ChainPart> parts) {}

  private final List<Layer> layers;
  private final List<List<List<Solution>>> solutions = new ArrayList<>();

  private ChainProgramme(List<Layer> layers) {
    this.layers = layers;
  }

  /**
   * All ways that no other beats in both bytes and time, the fastest first.
   *
   * @param layers the chain; at least one
   * @param behind bytes that what follows the chain takes at its peak, beside what the chain keeps
   */
  public static List<Solution> solve(List<Layer> layers, long behind) {
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("a chain without layers");
    }
    // What follows is one more layer, which is always kept and leaves nothing.
    List<Layer> all = new ArrayList<>(layers);
    all.add(new Layer(0, behind, 0, 0));
    ChainProgramme programme = new ChainProgramme(all);
    int last = layers.size();
    for (int from = 0; from <= last; from++) {
      programme.solutions.add(new ArrayList<>());
    }
    for (int from = last; from >= 0; from--) {
      for (int to = from; to <= last; to++) {
        programme.solutions.get(from).add(programme.undominated(from, to));
      }
    }
    List<Solution> result = new ArrayList<>();
    for (Solution solution : programme.of(0, last)) {
      List<ChainPart> parts = solution.parts();
      result.add(
          new Solution(
              solution.bytes(),
              solution.recomputeSeconds(),
              List.copyOf(parts.subList(0, parts.size() - 1))));
    }
    return result;
  }

  private List<Solution> of(int from, int to) {
    return solutions.get(from).get(to - from);
  }

  private List<Solution> undominated(int from, int to) {
    List<Solution> candidates = new ArrayList<>();
    // The gradient of the last output is there from the start wherever a run is computed again; at
    // the chain's end it is that of what follows, which is nothing.
    long given = layers.get(to).activation();
    Layer first = layers.get(from);
    long alone = Math.max(given + forwardBytes(from, from), backwardBytes(from));
    if (from == to) {
      candidates.add(new Solution(alone, 0, List.of(ChainPart.kept(from))));
      return candidates;
    }
    for (Solution rest : of(from + 1, to)) {
      long bytes = Math.max(alone, first.activation() + rest.bytes());
      candidates.add(
          new Solution(bytes, rest.recomputeSeconds(), joined(ChainPart.kept(from), rest.parts())));
    }
    // A run of one layer keeps what it would have kept anyway; one up to the end keeps its end.
    for (int middle = from + 1; middle < to; middle++) {
      long forward = given + forwardBytes(from, middle);
      double again = seconds(from, middle);
      for (Solution left : of(from, middle)) {
        ChainPart part = ChainPart.again(left.parts());
        for (Solution right : of(middle + 1, to)) {
          long rightBytes = layers.get(middle).activation() + right.bytes();
          candidates.add(
              new Solution(
                  Math.max(forward, Math.max(left.bytes(), rightBytes)),
                  again + left.recomputeSeconds() + right.recomputeSeconds(),
                  joined(part, right.parts())));
        }
      }
    }
    return undominated(candidates);
  }

  private static List<Solution> undominated(List<Solution> candidates) {
    candidates.sort(
        Comparator.comparingDouble(Solution::recomputeSeconds).thenComparingLong(Solution::bytes));
    List<Solution> best = new ArrayList<>();
    long least = Long.MAX_VALUE;
    for (Solution candidate : candidates) {
      if (candidate.bytes() < least) {
        least = candidate.bytes();
        best.add(candidate);
      }
    }
    return best;
  }

  private static List<ChainPart> joined(ChainPart first, List<ChainPart> rest) {
    List<ChainPart> all = new ArrayList<>();
    all.add(first);
    all.addAll(rest);
    return List.copyOf(all);
  }

  /** Peak of computing some layers without keeping what lies between them. */
  private long forwardBytes(int from, int to) {
    long peak = 0;
    for (int layer = from; layer <= to; layer++) {
      long input = layer == from ? 0 : layers.get(layer - 1).activation();
      Layer at = layers.get(layer);
      peak = Math.max(peak, input + at.activation() + at.forwardWorkspace());
    }
    return peak;
  }

  /** A layer's backward step: its output, the gradients of output and input, temporaries. */
  private long backwardBytes(int layer) {
    Layer at = layers.get(layer);
    long inputGradient = layer == 0 ? 0 : layers.get(layer - 1).activation();
    return 2 * at.activation() + inputGradient + at.backwardWorkspace();
  }

  private double seconds(int from, int to) {
    double seconds = 0;
    for (int layer = from; layer <= to; layer++) {
      seconds += layers.get(layer).forwardSeconds();
    }
    return seconds;
  }
}
