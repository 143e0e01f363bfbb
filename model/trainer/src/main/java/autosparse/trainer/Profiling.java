package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.StrategySearch;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModels;
import autosparse.costmodel.training.PyramidCache;
import autosparse.costmodel.training.StepPlan;
import autosparse.costmodel.training.StepPlanner;
import autosparse.costmodel.training.TaskData;
import autosparse.costmodel.training.Trainer;
import autosparse.costmodel.training.TrainingConfig;
import autosparse.costmodel.training.TrainingData;
import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Precision;
import autosparse.engine.memory.HostBudget;
import autosparse.engine.memory.MemoryBudget;
import autosparse.kernels.Gpu;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixFolder;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.MatrixSize;
import autosparse.schedule.MeasuredSchedule;
import autosparse.schedule.PatternMemory;
import autosparse.schedule.Problem;
import autosparse.schedule.RecordFile;
import autosparse.schedule.Split;
import autosparse.schedule.Task;
import autosparse.trainer.options.LearningOptions;
import autosparse.trainer.options.ProfileOptions;
import autosparse.trainer.profile.MatrixProfile;
import autosparse.trainer.profile.MatrixProfile.Within;
import autosparse.trainer.profile.PlainFramework;
import autosparse.trainer.profile.ProfileFiles;
import autosparse.trainer.profile.ProfileTable;
import autosparse.trainer.report.ProfilePage;
import autosparse.tuner.generate.GeneratedPattern;
import autosparse.tuner.generate.GeneratedRows;
import autosparse.tuner.generate.PatternSpec;
import autosparse.tuner.generate.Patterns;
import autosparse.tuner.space.ScheduleSpace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** The work of {@code memory-profile}. */
final class Profiling {
  /** GPUs that can be planned for without one: compute capability, multiprocessors, memory. */
  private static final Map<String, Gpu> GPUS =
      Map.of(
          "h200", new Gpu(0, "NVIDIA H200", 9, 0, 132, 143_771L << 20),
          "h100", new Gpu(0, "NVIDIA H100 80GB", 9, 0, 132, 81_559L << 20),
          "a100", new Gpu(0, "NVIDIA A100 80GB", 8, 0, 108, 81_920L << 20),
          "t4", new Gpu(0, "NVIDIA T4", 7, 5, 40, 15_360L << 20));

  private static final int SCHEDULE_THREADS = 48;

  /** What is asked of a device that is only looked at, in bytes. */
  private static final long SMALL_RANGE = 1 << 20;

  private static final long SEED = 1;

  private final ProfileOptions options;
  private final Main main;
  private final ModelConfig config;
  private final TrainingConfig training;

  Profiling(ProfileOptions options, Main main) {
    this.options = options;
    this.main = main;
    this.config = options.model().toConfig(List.of(options.op()));
    this.training =
        new TrainingConfig(
            RankingLoss.MARGIN_LAMBDARANK,
            1,
            options.batch(),
            1,
            1,
            1e-3,
            RateSchedule.CONSTANT,
            0.01,
            true,
            1,
            Double.parseDouble(LearningOptions.DEFAULT_EMA),
            SEED);
  }

  int run() {
    Target target = target();
    List<Supplier<MatrixPattern>> matrices = matrices(Devices.select(options.device()).host());
    requireWritable(options.out());
    List<MatrixProfile> profiles = new ArrayList<>();
    main.print(title(target));
    if (!target.taken().isEmpty()) {
      main.print(
          "of each budget, not for tensors: " + new MemoryBudget(0, target.taken()).takenText());
    }
    main.print(ProfileTable.HEAD);
    Set<String> names = new HashSet<>();
    for (Supplier<MatrixPattern> matrix : matrices) {
      try (MatrixPattern pattern = matrix.get()) {
        MatrixProfile profile = profile(pattern, distinct(pattern.name(), names), target);
        profiles.add(profile);
        ProfileTable.lines(profile).forEach(main::print);
      }
    }
    // Only now: a matrix that is found to be broken leaves nothing behind.
    createFolder(options.out());
    ProfileFiles.write(
        options.out(), new ProfilePage(title(target), target.gpu(), profiles), profiles);
    main.print("");
    main.print("page: " + options.out().resolve("index.html"));
    long differing =
        profiles.stream().flatMap(p -> p.all().stream()).filter(Within::differs).count();
    if (options.measure()) {
      long measured =
          profiles.stream()
              .flatMap(p -> p.all().stream())
              .filter(within -> within.measuredPeak().isPresent())
              .count();
      main.print("planned = measured: " + (measured - differing) + " of " + measured + " steps");
    }
    return differing == 0 ? 0 : 1;
  }

  /** Refuses a folder that cannot be made or written to, before hours are spent for it. */
  private static void requireWritable(Path folder) {
    Path there = folder.toAbsolutePath();
    while (there != null && !Files.exists(there)) {
      there = there.getParent();
    }
    if (there == null || !Files.isDirectory(there) || !Files.isWritable(there)) {
      throw new InputException(
          "--out: " + folder + ": cannot be made or written to, expected a folder");
    }
  }

  private static void createFolder(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new FileWriteException(folder, e);
    }
  }

  /** The name, with a number behind it where it is taken: the files of each are called after it. */
  private static String distinct(String name, Set<String> taken) {
    String free = name;
    for (int number = 2; !taken.add(free); number++) {
      free = name + "-" + number;
    }
    return free;
  }

  /**
   * What is planned for.
   *
   * @param name of the device
   * @param gpu the card, if it is one
   * @param taken what of its memory is not for tensors, in bytes by purpose: part of every budget
   * @param planning makes a planning device that stands for it
   */
  private record Target(
      String name, Optional<Gpu> gpu, Map<String, Long> taken, Supplier<PlanningDevice> planning) {
    /** Bytes that a budget leaves for tensors; at least 0. */
    long range(long budget) {
      return Math.max(0, new MemoryBudget(budget, taken).range());
    }
  }

  private Target target() {
    Optional<Gpu> absent = gpu();
    if (absent.isPresent()) {
      Gpu gpu = absent.get();
      Precision fastest = Precision.BF16.runsOn(gpu) ? Precision.BF16 : Precision.FP32;
      Precision precision = options.device().precision().precision().orElse(fastest);
      return new Target(
          gpu.name() + ", " + precision + " (planned)",
          absent,
          MemoryBudget.planned(0).taken(),
          () -> PlanningDevice.cuda(gpu, precision, true, StepPlanner.UNLIMITED));
    }
    if (!Devices.select(options.device()).isCuda()) {
      return new Target(
          "cpu", Optional.empty(), Map.of(), () -> PlanningDevice.cpu(StepPlanner.UNLIMITED));
    }
    // Opened once, with next to nothing: others may be using the card.
    try (Device device = open(SMALL_RANGE)) {
      CudaDevice cuda = (CudaDevice) device;
      Gpu gpu = cuda.context().gpu();
      Precision precision = cuda.precision();
      boolean cublas = cuda.usesCublas();
      return new Target(
          gpu.name() + ", " + precision,
          Optional.of(gpu),
          cuda.budget().taken(),
          () -> PlanningDevice.cuda(gpu, precision, cublas, StepPlanner.UNLIMITED));
    }
  }

  /** The chosen device with a range of so many bytes. */
  private Device open(long range) {
    return Devices.select(options.device()).openWithRange(range);
  }

  /** The matrices, each read or made when it is its turn: they need not fit memory together. */
  private List<Supplier<MatrixPattern>> matrices(HostBudget host) {
    List<Supplier<MatrixPattern>> all = new ArrayList<>();
    options
        .matrices()
        .ifPresent(folder -> files(folder).forEach(file -> all.add(matrix(host, file))));
    for (ProfileOptions.Generated generated : options.generated()) {
      PatternSpec spec = generated.spec();
      MatrixSize size = new MatrixSize(spec.rows(), spec.cols(), spec.nnz(), 0);
      OptionalLong rangeBytes = new HostPlan(host).keepMade(size, main.patternBudget());
      all.add(
          () -> {
            GeneratedRows rows = GeneratedRows.of(Patterns.of(spec));
            String name = generated.name(rows.sites());
            return rangeBytes.isPresent()
                ? new GeneratedPattern(name, rows, rangeBytes.getAsLong())
                : rows.toPattern(name);
          });
    }
    return all;
  }

  /** A matrix's file, as if it were the only one. */
  private Supplier<MatrixPattern> matrix(HostBudget host, Path file) {
    PatternMemory memory = new HostPlan(host).keepMatrices(List.of(file), 1, main.patternBudget());
    return () -> memory.open(file);
  }

  private Optional<Gpu> gpu() {
    if (options.gpu().isEmpty()) {
      return Optional.empty();
    }
    Gpu gpu = GPUS.get(options.gpu().toLowerCase(Locale.ROOT));
    if (gpu == null) {
      throw new InputException(
          "--gpu: "
              + InputException.quote(options.gpu())
              + ", expected one of "
              + GPUS.keySet().stream().sorted().toList());
    }
    return Optional.of(gpu);
  }

  private static List<Path> files(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new InputException(
          "--matrices: " + folder + ": no such folder, expected one with matrices");
    }
    List<Path> files = MatrixFolder.open(folder).files();
    if (files.isEmpty()) {
      throw new InputException(
          "--matrices: "
              + folder
              + ": no matrix in it, expected files that end in "
              + MatrixReader.SUFFIXES);
    }
    return files;
  }

  private String title(Target target) {
    return String.format(
        Locale.ROOT,
        "Memory of a training step: %s, %d channels, %s head, %d schedules, %s",
        options.model().model(),
        options.model().channels(),
        options.model().head(),
        options.batch(),
        target.name());
  }

  private MatrixProfile profile(MatrixPattern pattern, String name, Target target) {
    TrainingData data = data(pattern);
    StepPlan.Step step = new StepPlan(data, training).epoch(0).get(0);
    ModelStatistics statistics = data.statistics().withFullBins(config.featureBins());
    try (StepPlanner planner =
        new StepPlanner(target.planning().get(), config, statistics, data, training)) {
      StrategySearch search = planner.search(step);
      Map<TowerStrategy, OptionalLong> measured = new HashMap<>();
      Function<MemoryPlan, OptionalLong> peak =
          plan ->
              options.measure()
                  ? measured.computeIfAbsent(
                      plan.strategy(), s -> measure(data, statistics, step, plan))
                  : OptionalLong.empty();
      MemoryPlan keepAll = search.plan(TowerStrategy.KEEP_ALL);
      List<Within> ways = new ArrayList<>();
      for (ProfileOptions.Way way : options.strategies()) {
        Optional<MemoryPlan> plan =
            switch (way) {
              case KEEP_ALL -> Optional.of(keepAll);
              case CHECKPOINTS ->
                  search.ofKind(TowerStrategy.Checkpoints.class, keepAll.capacityBytes() / 2);
              case STRIPS -> search.ofKind(TowerStrategy.Strips.class, keepAll.capacityBytes() / 2);
            };
        ways.add(within(way.toString(), 0, plan, peak));
      }
      List<Within> budgets = new ArrayList<>();
      for (ProfileOptions.Budget budget : options.budgets()) {
        budgets.add(
            within(
                budget.text(), budget.bytes(), search.fastest(target.range(budget.bytes())), peak));
      }
      return new MatrixProfile(
          name,
          pattern.rows(),
          pattern.cols(),
          pattern.nnz(),
          planner.sitesByLevel(step),
          new MemoryBudget(0, target.taken()).takenBytes(),
          MatrixPattern.bytes(pattern.rows(), pattern.nnz()),
          keepAll,
          search.smallest(),
          ways,
          budgets,
          PlainFramework.bytes(
              pattern.nnz(),
              planner.pairs(step, PlainFramework.WINDOW),
              config.kind(),
              config.channels(),
              planner.device().activation().bytes()),
          search.events(TowerStrategy.KEEP_ALL));
    }
  }

  private static Within within(
      String text, long bytes, Optional<MemoryPlan> plan, Function<MemoryPlan, OptionalLong> peak) {
    return new Within(text, bytes, plan, plan.map(peak).orElse(OptionalLong.empty()));
  }

  /** One task of random schedules, as many as a step takes. */
  private TrainingData data(MatrixPattern pattern) {
    RecordFile file =
        new RecordFile(
            options.op(), pattern.name(), Path.of("random"), RecordFile.Format.AUTOSPARSE);
    Problem problem = Problem.of(options.op(), pattern);
    SplittableRandom random = new SplittableRandom(SEED);
    List<MeasuredSchedule> records = new ArrayList<>();
    for (int s = 0; s < options.batch(); s++) {
      records.add(
          MeasuredSchedule.of(
              ScheduleSpace.random(problem, SCHEDULE_THREADS, random), 1 + random.nextDouble()));
    }
    Task task = Task.of(file, records);
    int[] all = IntStream.range(0, task.size()).toArray();
    Split.Part part = new Split.Part(task, IntStream.of(all).boxed().toList(), List.of());
    return new TrainingData(
        List.of(new TaskData(task, problem, 0, all, new int[0])),
        List.of(pattern),
        new Split(Split.Kind.RANDOM, List.of(part), List.of()));
  }

  /** Runs the step for real in a range of exactly the planned bytes; its peak. */
  private OptionalLong measure(
      TrainingData data, ModelStatistics statistics, StepPlan.Step step, MemoryPlan plan) {
    try (Device device = open(plan.capacityBytes());
        CostModel model = CostModels.create(config, statistics, device.root(), SEED);
        PyramidCache pyramids = new PyramidCache(device.root(), data.patterns(), 0);
        // As planned: no heads replayed as graphs, no patterns copied ahead.
        Trainer trainer =
            new Trainer(
                model,
                data,
                Trainer.encode(model, data),
                training,
                pyramids,
                device.root(),
                false)) {
      trainer.run(step, plan.strategy());
      pyramids.clear();
      return OptionalLong.of(device.ledger().peakBytes());
    }
  }
}
