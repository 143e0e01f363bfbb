package autosparse.tuner.codegen;

import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import java.util.List;

/**
 * How the result comes together: where it is set to zero, where sums are kept in a register, how
 * they reach memory.
 *
 * @param zeroing when the result's elements are set to zero
 * @param firstReduction depth of the outermost loop that is summed over
 * @param sumDepth depth from which on all loops are summed over; what they add up is kept in a
 *     scalar. The number of loops where there is no such sum
 * @param update how a finished term or sum reaches the result
 */
record Accumulation(Zeroing zeroing, int firstReduction, int sumDepth, Update update) {
  /** When the result is set to zero. */
  enum Zeroing {
    /** Never: every element is stored to, once. */
    NONE,
    /** The piece that the loops inside will add to, just before the first reduction loop. */
    PIECE,
    /** All of it, before the loops. */
    WHOLE
  }

  /** How a term reaches the result. */
  enum Update {
    /** It is all there is: stored. */
    STORE,
    /** Added. */
    ADD,
    /** Added atomically: other threads add to the same element. */
    ATOMIC_ADD
  }

  static Accumulation of(Op op, List<LoopNest.Loop> loops) {
    int firstReduction = 0;
    while (!loops.get(firstReduction).reduction()) {
      firstReduction++;
    }
    int sumDepth = loops.size();
    while (sumDepth > 0 && loops.get(sumDepth - 1).reduction()) {
      sumDepth--;
    }
    boolean reductionsInside = sumDepth == firstReduction;
    if (loops.subList(sumDepth, loops.size()).stream()
        .allMatch(loop -> loop.kind() == LoopNest.Kind.SINGLETON)) {
      // Steps down, not loops: there is but one term.
      sumDepth = loops.size();
    }
    if (Formula.of(op).output().isEmpty()) {
      // The result has A's positions: each is reached once per turn of the reduction loops.
      return new Accumulation(
          reductionsInside ? Zeroing.NONE : Zeroing.WHOLE,
          firstReduction,
          sumDepth,
          reductionsInside ? Update.STORE : Update.ADD);
    }
    if (loops.stream().anyMatch(loop -> loop.parallel() && repeats(op, loop))) {
      return new Accumulation(Zeroing.WHOLE, firstReduction, sumDepth, Update.ATOMIC_ADD);
    }
    List<LoopNest.Loop> rows = loops.stream().filter(loop -> isRow(op, loop)).toList();
    boolean rowsOutside = loops.subList(0, firstReduction).containsAll(rows);
    boolean eachRowOnce = rowsOutside && rows.stream().noneMatch(loop -> repeats(op, loop));
    // Levels that are not dense skip rows without nonzeros, whose elements are zero all the same.
    boolean everyRow = rows.stream().allMatch(loop -> loop.kind() == LoopNest.Kind.DENSE_LEVEL);
    if (eachRowOnce && reductionsInside) {
      return new Accumulation(
          everyRow ? Zeroing.NONE : Zeroing.WHOLE, firstReduction, sumDepth, Update.STORE);
    }
    return new Accumulation(
        eachRowOnce && everyRow ? Zeroing.PIECE : Zeroing.WHOLE,
        firstReduction,
        sumDepth,
        Update.ADD);
  }

  private static boolean isRow(Op op, LoopNest.Loop loop) {
    return loop.axis().equals(op.rowAxis());
  }

  /** Whether a loop over rows may come to the same row twice under one parent. */
  private static boolean repeats(Op op, LoopNest.Loop loop) {
    return isRow(op, loop)
        && loop.shape().mode().filter(m -> m != Mode.DENSE && m != Mode.COMPRESSED).isPresent();
  }
}
