package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelStatistics;
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
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Precision;
import autosparse.kernels.Gpu;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.MeasuredSchedule;
import autosparse.schedule.Problem;
import autosparse.schedule.RecordFile;
import autosparse.schedule.SparsityPattern;
import autosparse.schedule.Split;
import autosparse.schedule.Task;
import autosparse.trainer.options.ProfileOptions;
import autosparse.trainer.profile.MatrixProfile;
import autosparse.trainer.profile.MatrixProfile.Within;
import autosparse.trainer.profile.ProfileFiles;
import autosparse.tuner.space.ScheduleSpace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The work of {@code memory-profile}. */
final class Profiling {
  /** GPUs that can be planned for without one: compute capability, multiprocessors, memory. */
  private static final Map<String, Gpu> GPUS =
      Map.of(
          "h200", new Gpu(0, "NVIDIA H200", 9, 0, 132, 143_771L << 20),
          "h100", new Gpu(0, "NVIDIA H100 80GB", 9, 0, 132, 81_559L << 20),
          "a100", new Gpu(0, "NVIDIA A100 80GB", 8, 0, 108, 81_920L << 20),
          "t4", new Gpu(0, "NVIDIA T4", 7, 5, 40, 15_360L << 20));

  /**
   * Peak of plain PyTorch a nonzero, channel and byte of an element: 116.8 GB for a step on a band
   * matrix of 9,999,979 nonzeros at 128 channels in bf16, measured on an H200 on 2026-11-22.
   */
  private static final double PLAIN_BYTES = 116.8e9 / 9_999_979 / 128 / 2;

  private static final int SCHEDULE_THREADS = 48;
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
            RankingLoss.LAMBDARANK,
            1,
            options.batch(),
            1,
            1,
            1e-3,
            RateSchedule.CONSTANT,
            0,
            false,
            0,
            SEED);
  }

  int run() {
    Optional<Gpu> gpu = gpu();
    DeviceSelection selection = gpu.isPresent() ? null : Devices.select(options.device());
    List<Path> files = files();
    try {
      Files.createDirectories(options.out());
    } catch (IOException e) {
      throw new InputException("--out: " + options.out() + ": cannot be made (" + e + ")", e);
    }
    List<MatrixProfile> profiles = new ArrayList<>();
    main.print(
        String.format(
            Locale.ROOT,
            "%-28s %12s %14s %14s  %s",
            "matrix",
            "nonzeros",
            "all kept",
            "smallest",
            "within " + options.budgets().stream().map(ProfileOptions.Budget::text).toList()));
    for (Path file : files) {
      MatrixProfile profile = profile(MatrixReader.read(file), gpu, selection);
      profiles.add(profile);
      main.print(line(profile));
    }
    ProfileFiles.write(options.out(), title(gpu, selection), profiles);
    main.print("");
    main.print("page: " + options.out().resolve("index.html"));
    return 0;
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

  private List<Path> files() {
    if (!Files.isDirectory(options.matrices())) {
      throw new InputException(
          "--matrices: " + options.matrices() + ": no such folder, expected one with matrices");
    }
    List<Path> files;
    try (Stream<Path> all = Files.list(options.matrices())) {
      files =
          all.filter(
                  file ->
                      MatrixReader.SUFFIXES.stream()
                          .anyMatch(suffix -> file.toString().endsWith(suffix)))
              .sorted()
              .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (files.isEmpty()) {
      throw new InputException(
          "--matrices: "
              + options.matrices()
              + ": no matrix in it, expected files that end in "
              + MatrixReader.SUFFIXES);
    }
    return files;
  }

  private String title(Optional<Gpu> gpu, DeviceSelection selection) {
    return String.format(
        Locale.ROOT,
        "Memory of a training step: %s, %d channels, %d schedules, %s",
        options.model().model(),
        options.model().channels(),
        options.batch(),
        gpu.map(g -> g.name() + " (planned)").orElseGet(() -> selection.chosen()));
  }

  private MatrixProfile profile(
      SparsityPattern pattern, Optional<Gpu> gpu, DeviceSelection selection) {
    TrainingData data = data(pattern);
    StepPlan.Step step = new StepPlan(data, training).epoch(0).get(0);
    ModelStatistics statistics = data.statistics();
    try (StepPlanner planner =
        new StepPlanner(planning(gpu, selection), config, statistics, data, training)) {
      StrategySearch search = planner.search(step);
      MemoryPlan keepAll = search.plan(TowerStrategy.KEEP_ALL);
      List<Within> budgets = new ArrayList<>();
      for (ProfileOptions.Budget budget : options.budgets()) {
        Optional<MemoryPlan> plan = search.fastest(budget.bytes());
        OptionalLong measured =
            options.measure() && plan.isPresent()
                ? measure(data, statistics, step, plan.get())
                : OptionalLong.empty();
        budgets.add(new Within(budget.text(), budget.bytes(), plan, measured));
      }
      OptionalLong measured =
          options.measure() ? measure(data, statistics, step, keepAll) : OptionalLong.empty();
      double element = planner.device().activation().bytes();
      return new MatrixProfile(
          pattern.name(),
          pattern.rows(),
          pattern.cols(),
          pattern.nnz(),
          planner.sitesByLevel(step),
          keepAll,
          search.smallest(),
          budgets,
          measured,
          PLAIN_BYTES * pattern.nnz() * options.model().channels() * element,
          search.events(TowerStrategy.KEEP_ALL));
    }
  }

  private PlanningDevice planning(Optional<Gpu> gpu, DeviceSelection selection) {
    if (gpu.isPresent()) {
      Precision fastest = Precision.BF16.runsOn(gpu.get()) ? Precision.BF16 : Precision.FP32;
      Precision precision = options.device().precision().precision().orElse(fastest);
      return PlanningDevice.cuda(gpu.get(), precision, true, StepPlanner.UNLIMITED);
    }
    if (!selection.isCuda()) {
      return PlanningDevice.cpu(StepPlanner.UNLIMITED);
    }
    try (Device device = selection.open()) {
      return PlanningDevice.like(device, StepPlanner.UNLIMITED);
    }
  }

  /** One task of random schedules, as many as a step takes. */
  private TrainingData data(SparsityPattern pattern) {
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
    try (Device device = Devices.select(options.device()).openWithRange(plan.capacityBytes());
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
      if (device.ledger().peakBytes() != plan.peakBytes()) {
        main.warn(
            data.patterns().get(0).name()
                + ": planned "
                + plan.peakBytes()
                + " bytes, measured "
                + device.ledger().peakBytes()
                + " ("
                + plan.strategy()
                + ")");
      }
      return OptionalLong.of(device.ledger().peakBytes());
    }
  }

  private static String line(MatrixProfile profile) {
    List<String> ways =
        profile.budgets().stream()
            .map(
                within ->
                    within
                        .plan()
                        .map(
                            plan ->
                                String.format(
                                    Locale.ROOT, "%s x%.2f", word(plan), plan.relativeTime()))
                        .orElse("does not fit"))
            .toList();
    return String.format(
        Locale.ROOT,
        "%-28s %,12d %,14d %,14d  %s",
        profile.name(),
        profile.nnz(),
        profile.keepAll().capacityBytes(),
        profile.smallest().capacityBytes(),
        String.join(", ", ways));
  }

  private static String word(MemoryPlan plan) {
    if (plan.strategy() instanceof TowerStrategy.KeepAll) {
      return "all";
    }
    return plan.strategy() instanceof TowerStrategy.Checkpoints ? "checkpoints" : "strips";
  }
}
