package autosparse.tuner.measure;

import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.codegen.KernelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Kernels on plain CSR written by hand, right and wrong ones, and what is needed to run them. */
final class HandWritten {
  private static final String SIGNATURE =
      """
          void kernel(const as_matrix *a, const float *b, const float *c, float *out) {
            const int32_t *pos = a->level[1].pos, *crd = a->level[1].crd;
          """;

  /** SpMV and SpMM: out(i,j) += a(i,k) b(k,j). */
  private static final String PRODUCT =
      """
            (void)c;
          #pragma omp parallel for schedule(dynamic, 4) num_threads(2)
            for (int64_t i = 0; i < a->rows; i++) {
              for (int64_t j = 0; j < a->dense; j++) {
                float sum = 0;
                for (int32_t p = pos[i]; p < pos[i + 1]; p++) {
                  sum += a->vals[p] * b[crd[p] * a->dense + j];
                }
                out[i * a->dense + j] = sum;
              }
            }
          """;

  /** SDDMM: d(i,j) = a(i,j) b(i,k) c(k,j). */
  private static final String SAMPLED =
      """
            for (int64_t i = 0; i < a->rows; i++) {
              for (int32_t p = pos[i]; p < pos[i + 1]; p++) {
                float sum = 0;
                for (int64_t k = 0; k < a->dense; k++) {
                  sum += b[i * a->dense + k] * c[k * a->cols + crd[p]];
                }
                out[p] = a->vals[p] * sum;
              }
            }
          """;

  private HandWritten() {}

  /** The right kernel of an operator. */
  static String right(Op op) {
    return rightAnd(op, "", "");
  }

  /** The right kernel with something done before and after. */
  static String rightAnd(Op op, String before, String after) {
    return SIGNATURE + before + (op == Op.SDDMM ? SAMPLED : PRODUCT) + after + "}\n";
  }

  /** A kernel of one's own. */
  static String body(String code) {
    return SIGNATURE + "  (void)pos, (void)crd, (void)b, (void)c, (void)out;\n" + code + "}\n";
  }

  /** A kernel that writes its process number into a pipe, then never ends. */
  static String hangs(Path pipe) {
    return body(
        """
          int open(const char *, int), getpid(void), dprintf(int, const char *, ...);
          dprintf(open("%s", 1), "%%d\\n", getpid());
          for (volatile int forever = 1; forever;) {
          }
        """
            .formatted(pipe));
  }

  /** Gives schedule number n, told by its chunk of n + 1, the n-th of some kernels. */
  static KernelGenerator kernels(List<String> codes) {
    return new KernelGenerator() {
      @Override
      public Optional<String> refusal(Schedule schedule, Problem problem) {
        String code = codes.get(schedule.chunk() - 1);
        return code.isEmpty() ? Optional.of("NO_KERNEL: none written") : Optional.empty();
      }

      @Override
      public KernelSource emit(Schedule schedule, Problem problem, boolean wide) {
        return new KernelSource(FUNCTION, codes.get(schedule.chunk() - 1));
      }
    };
  }

  /** As many plain CSR schedules, told apart by their chunks. */
  static List<Schedule> schedules(Op op, int count) {
    List<Schedule> schedules = new ArrayList<>();
    for (int n = 1; n <= count; n++) {
      schedules.add(Schedule.noOp(op, 2, n));
    }
    return schedules;
  }

  /** A matrix with empty rows, made by seed. */
  static SparsityPattern matrix(int rows, int cols, double density, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] starts = new long[rows + 1];
    List<Integer> columns = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        if (i % 5 != 2 && random.nextDouble() < density) {
          columns.add(j);
        }
      }
      starts[i + 1] = columns.size();
    }
    int[] array = columns.stream().mapToInt(Integer::intValue).toArray();
    return SparsityPattern.of("random" + seed, rows, cols, starts, array);
  }

  /** Short and small, everything in a folder of the test's. */
  static MeasureSettings settings(Path folder) {
    Assumptions.assumeTrue(hasCompiler(), "skipped: no gcc");
    CompileSettings compile = CompileSettings.defaults();
    return MeasureSettings.defaults()
        .withTiming(new TimingSettings(1, 3, 10, 0, 2000))
        .withCompile(
            new CompileSettings(
                compile.cc(),
                List.of("-O1", "-fopenmp"),
                List.of("-O1", "-fopenmp"),
                Duration.ofSeconds(60),
                4,
                2))
        .withThreads(2)
        .withMemoryLimit(2L << 30)
        .withFolders(folder.resolve("cache"), folder.resolve("work"));
  }

  private static boolean hasCompiler() {
    try {
      Toolchain.find("gcc");
      return true;
    } catch (InputException e) {
      System.err.println("skipped: " + e.getMessage());
      return false;
    }
  }

  /** Processes of a group that still run. */
  static List<Long> members(long group) throws IOException {
    List<Long> members = new ArrayList<>();
    List<Path> processes;
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      processes = all.filter(path -> path.getFileName().toString().matches("\\d+")).toList();
    }
    for (Path process : processes) {
      // After the name in parentheses: state, parent, group.
      String stat = stat(process);
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      if (Long.parseLong(fields[2]) == group && !fields[0].equals("Z")) {
        members.add(Long.valueOf(process.getFileName().toString()));
      }
    }
    return members;
  }

  private static String stat(Path process) {
    try {
      return Files.readString(process.resolve("stat"));
    } catch (IOException e) {
      return "0 (ended while being looked at) Z 0 0";
    }
  }

  /** A script that can be run. */
  static Path script(Path file, String... lines) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    if (!file.toFile().setExecutable(true)) {
      throw new IOException("cannot make " + file + " executable");
    }
    return file;
  }
}
