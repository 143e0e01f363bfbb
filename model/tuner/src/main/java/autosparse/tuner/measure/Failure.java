package autosparse.tuner.measure;

import java.util.Locale;

/** Why a schedule has no time. Each is recorded with its schedule, so that nothing vanishes. */
public enum Failure {
  /** The schedule breaks a rule of the schedule language or of the code generator. */
  ILLEGAL,
  /** A packed level would exceed the storage cap. */
  STORAGE_CAP,
  /** There is no compiler under the name that was asked for. */
  NO_COMPILER,
  /** The compiler refused the generated source. */
  COMPILE_ERROR,
  /** The compiler did not end in time. */
  COMPILE_TIMEOUT,
  /** The result differs from the reference by more than the tolerance. */
  WRONG_RESULT,
  /** The kernel did not end in time. */
  TIMEOUT,
  /** The kernel, or what holds its operands, needed more memory than allowed. */
  OUT_OF_MEMORY,
  /** The child process died: a signal or an exit code. */
  CRASH,
  /** The child process answered with something that is no answer. */
  BAD_ANSWER;

  /** Lower-case name, as in records: {@code wrong_result}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
