package autosparse.tuner.measure;

import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.SparsityPattern;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A measurer in a process of its own, to be killed or to run out of disk. */
final class MeasureProgram {
  private MeasureProgram() {}

  /** Arguments: folder, cache folder, work folder, rows of the matrix, file with the kernel. */
  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    MeasureSettings settings =
        HandWritten.settings(Path.of(args[0]))
            .withTiming(new TimingSettings(0, 1, 2, 0, 600_000))
            .withFolders(Path.of(args[1]), Path.of(args[2]));
    int rows = Integer.parseInt(args[3]);
    String kernel = Files.readString(Path.of(args[4]));
    SparsityPattern matrix = SparsityPattern.of("tall", rows, 2, new long[rows + 1], new int[0]);
    try (CRunnerMeasurer measurer =
        new CRunnerMeasurer(
            settings, HandWritten.kernels(List.of(kernel)), Duration.ofSeconds(9))) {
      measurer.measure(
          matrix,
          Problem.of(Op.SPMV, matrix),
          HandWritten.schedules(Op.SPMV, 1),
          (index, schedule, outcome) -> out.println(outcome));
    } catch (RuntimeException e) {
      out.println("thrown: " + e.getMessage());
    }
  }

  /** The command line that runs it. */
  static List<String> commandLine(Path folder, Path cache, Path work, int rows, Path kernel) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-cp", System.getProperty("java.class.path")));
    command.add(MeasureProgram.class.getName());
    for (Path path : List.of(folder, cache, work)) {
      command.add(path.toString());
    }
    command.add(Integer.toString(rows));
    command.add(kernel.toString());
    return command;
  }
}
