package autosparse.trainer;

import autosparse.engine.memory.HostBudget;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.PatternMemory;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleParser;
import autosparse.schedule.SourceLocation;
import autosparse.trainer.options.ShowOptions;
import autosparse.tuner.codegen.KernelEmitter;
import autosparse.tuner.codegen.LoopNest;
import autosparse.tuner.codegen.LoopNestPrinter;
import autosparse.tuner.format.PackedSize;
import autosparse.tuner.format.StorageCapException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The work of {@code show}. */
final class Showing {
  private final ShowOptions options;
  private final Main main;

  Showing(ShowOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  int run() {
    SourceLocation source = new SourceLocation("--schedule", 0);
    Schedule schedule = new ScheduleParser().parseLine(options.schedule(), source).schedule();
    if (options.matrix().isEmpty()) {
      return run(schedule, source, Optional.empty());
    }
    Path file = options.matrix().get();
    HostPlan host = new HostPlan(HostBudget.of(0, false, Map.of()));
    PatternMemory memory = host.keepMatrices(List.of(file), 1, main.patternBudget());
    try (MatrixPattern pattern = memory.open(file)) {
      return run(schedule, source, Optional.of(pattern));
    }
  }

  private int run(Schedule schedule, SourceLocation source, Optional<MatrixPattern> pattern) {
    Problem problem = problem(pattern);
    LoopNest.refusal(schedule, problem)
        .ifPresent(
            rule -> {
              throw InputException.at(source, "refused for " + problem.op().id() + ": " + rule);
            });
    // All that can be refused comes before the first line of the answer.
    List<String> lines = new ArrayList<>(LoopNestPrinter.print(LoopNest.of(schedule, problem)));
    pattern.ifPresent(matrix -> lines.add(packed(matrix, schedule, problem, source)));
    if (options.source()) {
      lines.add("");
      KernelEmitter.emit(schedule, problem, false, "kernel").code().lines().forEach(lines::add);
    }
    lines.forEach(main::print);
    return 0;
  }

  private Problem problem(Optional<MatrixPattern> pattern) {
    if (pattern.isPresent() && (pattern.get().rows() == 0 || pattern.get().cols() == 0)) {
      throw new InputException(
          options.matrix().get()
              + ": "
              + pattern.get().rows()
              + " x "
              + pattern.get().cols()
              + ", nothing to loop over");
    }
    Problem problem =
        pattern
            .map(matrix -> Problem.of(options.op(), matrix))
            .orElseGet(
                () -> {
                  ShowOptions.Shape shape = options.shape().orElseThrow();
                  return Problem.of(options.op(), shape.rows(), shape.cols(), shape.nnz());
                });
    return options.denseSize().map(problem::withDenseSize).orElse(problem);
  }

  private static String packed(
      MatrixPattern matrix, Schedule schedule, Problem problem, SourceLocation source) {
    PackedSize packed;
    try {
      packed = PackedSize.of(matrix.counts(), schedule, problem);
    } catch (StorageCapException tooLarge) {
      throw InputException.at(source, "storage cap on this matrix: " + tooLarge.getMessage());
    }
    List<String> levels = new ArrayList<>();
    for (int level = 0; level < packed.formats().size(); level++) {
      levels.add(packed.formats().get(level).name() + " " + packed.positions().get(level));
    }
    return String.format(
        Locale.ROOT,
        "A packed: positions %s; %d values for %d nonzeros; %d bytes",
        String.join(", ", levels),
        packed.values(),
        matrix.nnz(),
        packed.bytes());
  }
}
