package autosparse.benchmarks;

import autosparse.schedule.InputException;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.codegen.KernelEmitter;
import autosparse.tuner.codegen.KernelSource;
import autosparse.tuner.measure.CRunnerMeasurer;
import autosparse.tuner.measure.KernelGenerator;
import autosparse.tuner.measure.MeasureSettings;
import autosparse.tuner.measure.Outcome;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Generated plain CSR kernels against loops written by hand, in pairs: the same matrix, flags,
 * threads and process, one after the other and so over and over, so that what disturbs the machine
 * disturbs both. No JMH: the kernels run in the child process that measures schedules.
 *
 * <pre>java -cp benchmarks/target/benchmarks.jar autosparse.benchmarks.CsrByHand MATRIX...</pre>
 */
public final class CsrByHand {
  private static final int ROUNDS = 20;
  private static final int CHUNK = 32;

  /** What tells the two members of a pair apart: a chunk that neither kernel uses on its own. */
  private static final int BY_HAND = CHUNK + 1;

  /**
   * One comparison.
   *
   * @param generatedMs median of the rounds' medians, milliseconds
   * @param byHandMs the same of the loop written by hand
   * @param ratios generated / by hand of each round, ascending
   */
  record Result(Op op, int threads, double generatedMs, double byHandMs, double[] ratios) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%-5s %2d thread%s  generated %9.4f ms  by hand %9.4f ms  ratio %.3f (quartiles %.3f to"
              + " %.3f, %d pairs)",
          op.id(),
          threads,
          threads == 1 ? " " : "s",
          generatedMs,
          byHandMs,
          quantile(ratios, 0.5),
          quantile(ratios, 0.25),
          quantile(ratios, 0.75),
          ratios.length);
    }
  }

  private CsrByHand() {}

  /** Compares on matrix files. */
  public static void main(String[] args) {
    if (args.length == 0) {
      throw new InputException("usage: CsrByHand MATRIX... (.csr, .mtx, .mtx.gz)");
    }
    MeasureSettings settings = MeasureSettings.defaults();
    System.out.println(
        settings.compile().cc() + " " + String.join(" ", settings.compile().flags()));
    for (String arg : args) {
      SparsityPattern matrix = MatrixReader.read(Path.of(arg));
      System.out.println(matrix);
      compare(matrix, settings, ROUNDS).forEach(System.out::println);
    }
  }

  /**
   * Compares on one matrix: SpMV and SpMM, on one thread and on all.
   *
   * @throws IllegalStateException if a kernel fails or its result is wrong
   */
  static List<Result> compare(SparsityPattern matrix, MeasureSettings settings, int rounds) {
    List<Result> results = new ArrayList<>();
    try (CRunnerMeasurer measurer = new CRunnerMeasurer(settings, new PairGenerator())) {
      for (Op op : List.of(Op.SPMV, Op.SPMM)) {
        for (int threads = 1; threads <= settings.threads(); threads += settings.threads() - 1) {
          results.add(compare(measurer, matrix, op, threads, rounds));
          if (settings.threads() == 1) {
            break;
          }
        }
      }
    }
    return results;
  }

  private static Result compare(
      CRunnerMeasurer measurer, SparsityPattern matrix, Op op, int threads, int rounds) {
    List<Schedule> schedules = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      schedules.add(csr(op, threads, CHUNK));
      schedules.add(csr(op, threads, BY_HAND));
    }
    double[] medians = new double[schedules.size()];
    measurer.measure(
        matrix,
        Problem.of(op, matrix),
        schedules,
        (index, schedule, outcome) -> {
          if (!(outcome instanceof Outcome.Timed timed)) {
            throw new IllegalStateException(schedule + ": " + outcome);
          }
          medians[index] =
              quantile(timed.milliseconds().stream().mapToDouble(ms -> ms).sorted().toArray(), 0.5);
        });
    double[] generated = new double[rounds];
    double[] byHand = new double[rounds];
    double[] ratios = new double[rounds];
    for (int round = 0; round < rounds; round++) {
      generated[round] = medians[2 * round];
      byHand[round] = medians[2 * round + 1];
      ratios[round] = generated[round] / byHand[round];
    }
    Arrays.sort(generated);
    Arrays.sort(byHand);
    Arrays.sort(ratios);
    return new Result(op, threads, quantile(generated, 0.5), quantile(byHand, 0.5), ratios);
  }

  /** An element of an ascending array, the lower one where two are as near. */
  private static double quantile(double[] ascending, double share) {
    return ascending[(int) ((ascending.length - 1) * share)];
  }

  /** Plain CSR; rows shared by threads where there is more than one. */
  private static Schedule csr(Op op, int threads, int chunk) {
    Schedule plain = Schedule.noOp(op, threads, chunk);
    return new Schedule(
        plain.formatSplits(),
        plain.storageOrders(),
        plain.levelModes(),
        plain.loopSplits(),
        plain.loopOrder(),
        threads > 1 ? Optional.of(op.rowAxis()) : Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        0,
        threads,
        chunk);
  }

  /** The generated kernel, or its counterpart. */
  private static final class PairGenerator implements KernelGenerator {
    @Override
    public Optional<String> refusal(Schedule schedule, Problem problem) {
      return KernelEmitter.refusal(schedule, problem);
    }

    @Override
    public KernelSource emit(Schedule schedule, Problem problem, boolean wide) {
      return schedule.chunk() == BY_HAND
          ? new KernelSource(FUNCTION, byHand(schedule, problem))
          : KernelEmitter.emit(schedule, problem, wide, FUNCTION);
    }
  }

  private static String byHand(Schedule schedule, Problem problem) {
    String parallel =
        schedule.threads() == 1
            ? ""
            : "#pragma omp parallel for schedule(dynamic, "
                + CHUNK
                + ") num_threads("
                + schedule.threads()
                + ")";
    return switch (problem.op()) {
      case SPMV ->
          """
          void kernel(const as_matrix *a, const float *b, const float *c, float *out) {
            (void)c;
            const int32_t *restrict row_start = a->level[1].pos;
            const int32_t *restrict column = a->level[1].crd;
            const float *restrict value = a->vals;
            const float *restrict x = b;
            float *restrict y = out;
            int rows = (int)a->rows;
          %s
            for (int i = 0; i < rows; i++) {
              float dot = 0;
              for (int n = row_start[i]; n < row_start[i + 1]; n++)
                dot += value[n] * x[column[n]];
              y[i] = dot;
            }
          }
          """
              .formatted(parallel);
      case SPMM ->
          """
          void kernel(const as_matrix *a, const float *b, const float *c, float *out) {
            (void)c;
            enum { J = %d };
            const int32_t *restrict row_start = a->level[1].pos;
            const int32_t *restrict column = a->level[1].crd;
            const float *restrict value = a->vals;
            int rows = (int)a->rows;
          %s
            for (int i = 0; i < rows; i++) {
              float *restrict y = out + (int64_t)i * J;
              for (int j = 0; j < J; j++)
                y[j] = 0;
              for (int n = row_start[i]; n < row_start[i + 1]; n++) {
                float v = value[n];
                const float *restrict x = b + (int64_t)column[n] * J;
                for (int j = 0; j < J; j++)
                  y[j] += v * x[j];
              }
            }
          }
          """
              .formatted(problem.denseSize(), parallel);
      case SDDMM -> throw new IllegalArgumentException("no loop for sddmm written by hand");
    };
  }
}
