package autosparse.trainer;

import autosparse.schedule.InputException;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleParser;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.SparsityPattern;
import autosparse.trainer.options.ShowOptions;
import autosparse.tuner.codegen.KernelEmitter;
import autosparse.tuner.codegen.LoopNest;
import autosparse.tuner.codegen.LoopNestPrinter;
import autosparse.tuner.format.PackedMatrix;
import autosparse.tuner.format.Packer;
import autosparse.tuner.format.StorageCapException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
    Optional<SparsityPattern> pattern = options.matrix().map(MatrixReader::read);
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

  private Problem problem(Optional<SparsityPattern> pattern) {
    if (pattern.isPresent() && (pattern.get().rows() == 0 || pattern.get().cols() == 0)) {
      throw new InputException(
          options.matrix().get() + ": " + pattern.get() + ", nothing to loop over");
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
      SparsityPattern matrix, Schedule schedule, Problem problem, SourceLocation source) {
    PackedMatrix packed;
    try {
      packed = Packer.pack(matrix, new float[Math.toIntExact(matrix.nnz())], schedule, problem);
    } catch (StorageCapException tooLarge) {
      throw InputException.at(source, "storage cap on this matrix: " + tooLarge.getMessage());
    }
    List<String> levels = new ArrayList<>();
    packed.levels().forEach(level -> levels.add(level.format().name() + " " + level.positions()));
    return String.format(
        Locale.ROOT,
        "A packed: positions %s; %d values for %d nonzeros; %d bytes",
        String.join(", ", levels),
        packed.values().length,
        matrix.nnz(),
        packed.bytes());
  }
}
