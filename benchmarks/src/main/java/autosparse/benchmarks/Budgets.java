package autosparse.benchmarks;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.PatternRows;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.memory.TowerSites;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.engine.PlanningDevice;
import autosparse.engine.memory.SystemMemory;
import autosparse.engine.sparse.RowSource;
import autosparse.layers.RankingLoss;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A training step of AutoSparseNet (published head, margin loss over all pairs of random schedules,
 * Adam) on a matrix of any size under budgets of device memory: time, way of running the tower,
 * planned and measured peak, host memory, share of the bandwidth floor. No JMH: a step may take a
 * minute, and each budget is a device of its own.
 *
 * <pre>java -cp benchmarks/target/benchmarks.jar autosparse.benchmarks.Budgets matrix=band:10000000
 * budget=all,24G,8G,4G,2G,1G device=cuda precision=bf16 channels=128 schedules=768 steps=3</pre>
 *
 * <p>{@code copy} is the ceiling that the floor is counted with, bytes a second; measured first
 * unless it is given. {@code compare=yes} says of each budget how far loss and gradients of a step
 * of fresh weights are from those under the first budget named, and those of its tower for the same
 * gradient of the averages, see {@link StepGradients.Difference}.
 */
public final class Budgets {
  private static final long LARGE = 1L << 50;
  private static final String WARM_UP = "band:100000";

  private static final Map<String, String> USUAL = new LinkedHashMap<>();

  static {
    USUAL.put("matrix", "band:1000000");
    USUAL.put("budget", "all");
    USUAL.put("device", "auto");
    USUAL.put("precision", "auto");
    USUAL.put("channels", "128");
    USUAL.put("schedules", "768");
    USUAL.put("steps", "3");
    USUAL.put("copy", "measured");
    USUAL.put("compare", "no");
  }

  /**
   * What one step under one budget gave.
   *
   * @param milliseconds median wall time of a step, maps and uploads included
   * @param planned what the planner said, of the strategy that it chose
   * @param planSeconds what planning took
   * @param measuredPeak most bytes live at once while steps ran
   * @param floorMilliseconds time of the tower's bytes at the ceiling of copies
   * @param losses of the steps; the first is that of fresh weights, unless there is but one, which
   *     a step of warming up goes before
   * @param compared gradients of fresh weights, where budgets are compared
   */
  record Row(
      String matrix,
      String budget,
      long sites,
      double milliseconds,
      MemoryPlan planned,
      double planSeconds,
      long measuredPeak,
      double floorMilliseconds,
      long hostPeak,
      double[] losses,
      Optional<Compared> compared) {
    static final String HEAD =
        "matrix              budget     ms/step   floor/ms  planned peak  measured peak   range"
            + " needed  host peak GB  plan s  first loss  how";

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%-18s %7s %11.2f %10s %13d %14d %14d %13.1f %7.1f %11.6f  %s",
          matrix,
          budget,
          milliseconds,
          "%.3f".formatted(floorMilliseconds / milliseconds),
          planned.peakBytes(),
          measuredPeak,
          planned.capacityBytes(),
          hostPeak / 1e9,
          planSeconds,
          losses[0],
          planned.strategy());
    }
  }

  /**
   * What two budgets are compared by.
   *
   * @param step of the whole network
   * @param tower for the same gradient of its averages
   */
  record Compared(StepGradients step, StepGradients tower) {
    private String from(Compared first) {
      return "  differs by "
          + step.from(first.step)
          + ", its tower alone by "
          + tower.from(first.tower);
    }
  }

  private Budgets() {}

  /** Runs a step under each budget; one line each. */
  public static void main(String[] args) {
    try {
      Map<String, String> settings = settings(args);
      if (settings.get("copy").equals("measured")) {
        try (BenchmarkDevice device =
            BenchmarkDevice.open(settings.get("device"), settings.get("precision"), 0)) {
          settings.put("copy", String.valueOf((long) device.ceilings().copy()));
        }
      }
      System.out.println(Row.HEAD);
      for (String matrix : settings.get("matrix").split(",", -1)) {
        Optional<Compared> first = Optional.empty();
        for (String budget : settings.get("budget").split(",", -1)) {
          Row row = run(matrix, budget, settings);
          System.out.println(row + difference(row, first));
          first = first.or(row::compared);
        }
      }
    } catch (InputException | IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(2);
    }
  }

  /** What a line says of the step's distance from the first budget's. */
  private static String difference(Row row, Optional<Compared> first) {
    return row.compared().flatMap(own -> first.map(own::from)).orElse("");
  }

  /** Settings by name, checked; the usual ones where none is given. */
  static Map<String, String> settings(String... args) {
    Map<String, String> settings = new LinkedHashMap<>(USUAL);
    for (String arg : args) {
      String[] parts = arg.split("=", 2);
      if (parts.length != 2 || !USUAL.containsKey(parts[0])) {
        throw new InputException(
            "argument " + arg + ", expected NAME=VALUE with a name of " + USUAL.keySet());
      }
      settings.put(parts[0], parts[1]);
    }
    List.of("channels", "schedules", "steps").forEach(name -> number(settings, name));
    if (!settings.get("copy").equals("measured")) {
      copy(settings);
    }
    if (!settings.get("compare").matches("yes|no")) {
      throw new InputException("compare=" + settings.get("compare") + ", expected yes or no");
    }
    return settings;
  }

  private static int number(Map<String, String> settings, String name) {
    String text = settings.get(name);
    if (!text.matches("[1-9]\\d{0,8}")) {
      throw new InputException(name + "=" + text + ", expected a whole number from 1 on");
    }
    return Integer.parseInt(text);
  }

  /** Bytes a second of the ceiling. */
  private static double copy(Map<String, String> settings) {
    String text = settings.get("copy");
    if (!text.matches("[1-9]\\d{0,17}")) {
      throw new InputException("copy=" + text + ", expected bytes a second, or measured");
    }
    return Double.parseDouble(text);
  }

  /** Bytes of {@code 24G}, {@code 512M}, or a plain number; 0 for {@code all}. */
  static long bytes(String budget) {
    if (budget.equals("all")) {
      return 0;
    }
    if (!budget.matches("[1-9]\\d{0,8}[KMG]|[1-9]\\d{0,14}")) {
      throw new InputException("budget=" + budget + ", expected all, or bytes such as 24G or 512M");
    }
    int unit = "KMG".indexOf(budget.charAt(budget.length() - 1)) + 1;
    String digits = unit == 0 ? budget : budget.substring(0, budget.length() - 1);
    return Long.parseLong(digits) << (10 * unit);
  }

  /** Runs a step on one matrix under one budget. */
  static Row run(String matrix, String budget, Map<String, String> settings) {
    DeviceSelection.Options options = new DeviceSelection.Options(bytes(budget), 0);
    DeviceSelection selection = DeviceSelection.of(settings.get("device"), options);
    if (!settings.get("precision").equals("auto")) {
      selection =
          selection.withPrecision(
              BenchmarkDevice.select(settings.get("device"), settings.get("precision"), 0)
                  .precision());
    }
    RowSource source = Sources.of(matrix);
    try (Device device = selection.open()) {
      return run(matrix, budget, source, device, settings);
    } finally {
      if (source instanceof PatternRows rows) {
        rows.pattern().close();
      }
    }
  }

  /** A matrix of which a step takes no more memory than of the other. */
  private static RowSource warmUp(RowSource source) {
    RowSource small = Sources.of(WARM_UP);
    return small.sites() < source.sites() ? small : source;
  }

  private static Row run(
      String matrix, String budget, RowSource source, Device device, Map<String, String> settings) {
    ModelConfig config =
        ModelConfig.published(ModelKind.AUTOSPARSE, Op.SPMM, number(settings, "channels"));
    int schedules = number(settings, "schedules");
    long capacity = device.memory().capacity();
    long start = System.nanoTime();
    MemoryPlan plan;
    double bytes;
    try (PlanningDevice planning = PlanningDevice.like(device, LARGE);
        BudgetedStep planned = new BudgetedStep(planning, config, RankingLoss.MARGIN, schedules)) {
      StrategySearch search = planned.search(source);
      Optional<MemoryPlan> found = search.fastest(capacity);
      plan = found.orElseThrow(() -> tooSmall(matrix, budget, capacity, search.smallest()));
      bytes = bytesMoved(planning, planned.tower(), source, device, plan.strategy());
    }
    double planSeconds = (System.nanoTime() - start) / 1e9;
    try (BudgetedStep step = new BudgetedStep(device, config, RankingLoss.MARGIN, schedules)) {
      double[] losses = new double[number(settings, "steps")];
      double[] times = new double[losses.length];
      Optional<Compared> compared =
          settings.get("compare").equals("yes")
              ? Optional.of(
                  new Compared(
                      step.gradients(plan.strategy(), source),
                      step.towerGradients(plan.strategy(), source)))
              : Optional.empty();
      if (losses.length == 1 && compared.isEmpty()) {
        // Kernels are loaded; weights are then not those of a first step any more.
        step.run(plan.strategy(), warmUp(source));
      }
      device.ledger().resetPeak();
      for (int s = 0; s < losses.length; s++) {
        long began = System.nanoTime();
        losses[s] = step.run(plan.strategy(), source);
        device.synchronize();
        times[s] = (System.nanoTime() - began) / 1e6;
      }
      // The first of several loads kernels.
      double[] measured = times.length == 1 ? times : Arrays.copyOfRange(times, 1, times.length);
      Arrays.sort(measured);
      return new Row(
          matrix,
          budget,
          source.sites(),
          measured[measured.length / 2],
          plan,
          planSeconds,
          device.ledger().peakBytes(),
          1e3 * bytes / copy(settings),
          SystemMemory.ofThisMachine().peakResidentBytes().orElse(0),
          losses,
          compared);
    }
  }

  private static InputException tooSmall(
      String matrix, String budget, long capacity, MemoryPlan smallest) {
    return new InputException(
        "budget="
            + budget
            + ": a step on "
            + matrix
            + " takes "
            + smallest.capacityBytes()
            + " bytes at the least ("
            + smallest.strategy()
            + "), the device's range has "
            + capacity);
  }

  /** Bytes of forward and backward pass as {@link TowerWorkload#cost} counts them. */
  private static double bytesMoved(
      PlanningDevice planning,
      SparseTower tower,
      RowSource source,
      Device device,
      TowerStrategy strategy) {
    long most =
        strategy instanceof TowerStrategy.Strips strips ? strips.sites() : source.sites() + 1;
    long[] sites = TowerSites.outputs(planning, tower, source, most);
    int size = device.activation().bytes();
    double bytes = sites[0] * (4 + (double) tower.channels(0) * size);
    for (int layer = 1; layer < sites.length; layer++) {
      bytes += (double) sites[layer - 1] * tower.channels(layer - 1) * size;
      bytes += (double) sites[layer] * tower.channels(layer) * size;
    }
    return 3 * bytes - sites[0] * 4.0;
  }
}
