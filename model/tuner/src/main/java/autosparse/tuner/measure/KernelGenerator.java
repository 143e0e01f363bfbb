package autosparse.tuner.measure;

import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.tuner.codegen.KernelEmitter;
import autosparse.tuner.codegen.KernelSource;
import java.util.Optional;

/** Makes the kernel of a schedule. */
public interface KernelGenerator {
  /** Name of every kernel's function; the compiler gives each its own. */
  String FUNCTION = "kernel";

  /** Why a schedule is not compiled: the rule and its values in one line. */
  Optional<String> refusal(Schedule schedule, Problem problem);

  /**
   * The kernel, named {@link #FUNCTION}.
   *
   * @param wide whether position arrays are 64 bit
   */
  KernelSource emit(Schedule schedule, Problem problem, boolean wide);

  /** The code generator. */
  static KernelGenerator emitter() {
    return new KernelGenerator() {
      @Override
      public Optional<String> refusal(Schedule schedule, Problem problem) {
        return KernelEmitter.refusal(schedule, problem);
      }

      @Override
      public KernelSource emit(Schedule schedule, Problem problem, boolean wide) {
        return KernelEmitter.emit(schedule, problem, wide, FUNCTION);
      }
    };
  }
}
