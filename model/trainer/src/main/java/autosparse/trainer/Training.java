package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.checkpoint.AtomicFiles;
import autosparse.costmodel.checkpoint.Checkpoint;
import autosparse.costmodel.checkpoint.CheckpointFolder;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.training.Evaluation;
import autosparse.costmodel.training.Evaluation.TaskEvaluation;
import autosparse.costmodel.training.Evaluator;
import autosparse.costmodel.training.PlannedPasses;
import autosparse.costmodel.training.PlannedSteps;
import autosparse.costmodel.training.RankingMetrics;
import autosparse.costmodel.training.StepPlan;
import autosparse.costmodel.training.StepPlanner;
import autosparse.costmodel.training.StepResult;
import autosparse.costmodel.training.Trainer;
import autosparse.costmodel.training.TrainingConfig;
import autosparse.costmodel.training.TrainingData;
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.engine.PlanningDevice;
import autosparse.engine.memory.MemoryBudget;
import autosparse.engine.memory.SystemMemory;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixFolder;
import autosparse.trainer.options.TrainOptions;
import autosparse.trainer.report.HtmlReport;
import autosparse.trainer.report.ReportData;
import autosparse.trainer.run.Environment;
import autosparse.trainer.run.Interrupts;
import autosparse.trainer.run.Progress;
import autosparse.trainer.run.ResultsFile;
import autosparse.trainer.run.RunFolder;
import autosparse.trainer.run.RunRecorder;
import autosparse.trainer.run.Terminal;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The work of {@code train}. */
final class Training {
  private static final double NANOS_PER_MINUTE = 60e9;

  /** Where a checkpoint's state has the matrices' hashes. */
  private static final String MATRICES = "matrices";

  /** Steps among which the largest is looked for where memory is scarce. */
  static final int PLANNED_STEPS = 2000;

  /** Between two looks at the losses, each of which waits for the device. */
  private static final long RECORD_NANOS = 250_000_000L;

  /** Between two checkpoints, where the user leaves it to us: what a crash may cost. */
  private static final long SAVE_NANOS = 120_000_000_000L;

  private final TrainOptions options;
  private final TrainingData data;
  private final DeviceSelection selection;
  private final HostPlan host;
  private final Map<String, Object> resolved;
  private final Main main;
  private final TrainingConfig config;
  private PlannedSteps steps;
  private PlannedPasses passes;

  /** Null where no baseline is trained for comparison. */
  private Baseline.Planned baseline;

  private long lastSave;

  /** A hash of each matrix, by its name. */
  private Map<String, String> matrices;

  /** Bytes that were live on the heap when everything was loaded. */
  private long liveHeap;

  private Training(
      TrainOptions options,
      TrainingData data,
      DeviceSelection selection,
      HostPlan host,
      Map<String, Object> resolved,
      Main main) {
    this.options = options;
    this.data = data;
    this.selection = selection;
    this.host = host;
    this.resolved = resolved;
    this.main = main;
    this.config = options.learning().toConfig();
  }

  /** Reads everything that is needed; bad input ends here, before anything is written. */
  static Training prepare(TrainOptions options, Map<String, Object> resolved, Main main) {
    DeviceSelection selection = Devices.select(options.device());
    options.model().toConfig(options.data().ops());
    HostPlan host = new HostPlan(selection.host());
    TrainingData data =
        Session.read(
            options.data(), host, options.learning().matricesPerStep(), main.patternBudget());
    // What they stand for here, so that the run resumes, and is judged, with the same.
    resolved.put("precision", selection.precision().toString());
    resolved.put("split-seed", options.data().splitSeed());
    return new Training(options, data, selection, host, resolved, main);
  }

  /**
   * Plans the whole run, then trains.
   *
   * @param out the run's folder, opened only when everything is known to fit
   */
  int run(Path out, RunFolder.Mode mode) {
    main.interrupts().arm();
    ModelConfig model = options.model().toConfig(options.data().ops());
    try (data;
        Device device = selection.withHost(host.budget()).open();
        StepPlanner planner =
            new StepPlanner(
                PlanningDevice.like(device, StepPlanner.UNLIMITED),
                model,
                data.statistics(model.featureBins()),
                data,
                config)) {
      keepTokens(planner);
      MemoryBudget budget = device.budget();
      steps = new PlannedSteps(planner, data.patterns(), budget);
      steps.planAll(new StepPlan(data, config).first(PLANNED_STEPS));
      passes = new PlannedPasses(planner.forward(), budget, planner.baseBytes());
      Evaluator.plan(passes, data, planner.encoded(), config.loss(), config.batch(), true);
      if (!hasBaseline()) {
        describe(device);
        return run(out, mode, device, model);
      }
      try (Baseline.Planned planned =
          Baseline.plan(
              device,
              data,
              options.data().ops(),
              options.baselineEpochs(),
              options.learning().seed(),
              planner.baseBytes())) {
        baseline = planned;
        keepTokens(planned.planner());
        describe(device);
        return run(out, mode, device, model);
      }
    }
  }

  /** Planner and session each encode the tasks. */
  private void keepTokens(StepPlanner planner) {
    host.keep(HostPlan.TOKENS, 2 * CostModel.hostBytes(planner.encoded()));
  }

  private boolean hasBaseline() {
    return options.model().model() != ModelKind.FEATURES_MLP && options.baselineEpochs() > 0;
  }

  /** Says what the budgets are made of, and how steps are run where not everything can be kept. */
  private void describe(Device device) {
    host.describe(main, device);
    MemoryBudget budget = device.budget();
    if (selection.isCuda()) {
      main.print(
          String.format(
              Locale.ROOT,
              "memory budget %d bytes: %s, for tensors %d",
              budget.bytes(),
              budget.takenText(),
              budget.range()));
    }
    List<MemoryPlan> reduced =
        steps.plans().stream()
            .filter(plan -> !plan.strategy().equals(TowerStrategy.KEEP_ALL))
            .toList();
    if (!reduced.isEmpty()) {
      double slowest = reduced.stream().mapToDouble(MemoryPlan::relativeTime).max().orElse(1);
      main.print(
          String.format(
              Locale.ROOT,
              "%d of %d groups of matrices do not fit with everything kept: computed again in part,"
                  + " up to an estimated %.2f times the tower's time (memory-profile shows more)",
              reduced.size(),
              steps.plans().size(),
              slowest));
    }
  }

  private int run(Path out, RunFolder.Mode mode, Device device, ModelConfig model) {
    // Before the folder is touched: all rows are read, and a broken one ends it here.
    matrices = hashes(data);
    boolean roomy = steps.areRoomy() && passes.areRoomy() && (baseline == null || baseline.roomy());
    try (RunFolder folder = RunFolder.open(out, mode);
        Session session = Session.create(device, data, model, options.learning().seed());
        Trainer trainer = session.trainer(config, roomy)) {
      trainer.plan(steps.among(session.pyramids()));
      if (mode == RunFolder.Mode.RESUME) {
        resume(folder, trainer);
      } else {
        folder.writeConfig(resolved);
      }
      Environment environment = environment(session);
      folder.writeEnvironment(environment);
      main.print(
          String.format(
              Locale.ROOT,
              "%s, %,d parameters; %,d schedules of %d tasks to train on, %,d to judge on; %s in %s"
                  + " (%s)",
              options.model().model(),
              session.model().parameters().count(),
              data.split().trainSize(),
              data.tasks().size(),
              data.split().validationSize(),
              selection.chosen(),
              selection.precision(),
              selection.reason()));
      if (selection.isCuda()) {
        main.print("products by " + device.operators().gemm().provider());
      }
      liveHeap = HostPlan.liveHeapBytes();
      return fit(folder, session, trainer, environment);
    }
  }

  private int fit(RunFolder folder, Session session, Trainer trainer, Environment environment) {
    long start = System.nanoTime();
    Evaluator evaluator = session.evaluator(passes, config.loss(), config.batch());
    boolean terminal = Terminal.isInteractive();
    try (RunRecorder recorder = RunRecorder.start(folder, trainer.step())) {
      try (Progress progress =
          Progress.start(main.err(), terminal, "train", trainer.step(), trainer.totalSteps())) {
        lastSave = start;
        long lastRecord = start;
        while (!trainer.isDone()) {
          boolean interrupted = main.interrupts().requested();
          if (interrupted || timeIsUp(start)) {
            record(trainer, recorder, progress);
            save(folder, session, trainer);
            progress.message(
                (interrupted ? "saved" : "time limit reached")
                    + " after step "
                    + trainer.step()
                    + "; go on with --resume");
            if (interrupted) {
              return Interrupts.EXIT_CODE;
            }
            break;
          }
          trainer.advance();
          if (trainer.atEpochEnd()) {
            endEpoch(folder, session, trainer, evaluator, recorder, progress);
          }
          if (System.nanoTime() - lastRecord >= RECORD_NANOS) {
            record(trainer, recorder, progress);
            lastRecord = System.nanoTime();
          }
        }
      }
      double minutes = (System.nanoTime() - start) / NANOS_PER_MINUTE;
      return finish(folder, session, trainer, evaluator, recorder, environment, minutes);
    }
  }

  /** Takes down the steps since the last call; waits for the device. */
  private static void record(Trainer trainer, RunRecorder recorder, Progress progress) {
    for (StepResult result : trainer.results()) {
      recorder.trained(
          result.step(),
          result.epoch(),
          Map.of(
              "loss", result.loss(),
              "gradient_norm", result.gradientNorm(),
              "rate", result.rate()));
      if (!Double.isFinite(result.loss())) {
        throw new InputException(
            String.format(
                Locale.ROOT,
                "step %d: the loss is %s; a lower --lr or a --clip above 0 may help, --resume goes"
                    + " on from the last checkpoint",
                result.step(),
                result.loss()));
      }
      progress.update(result.step(), String.format(Locale.ROOT, "loss %.3f", result.loss()));
    }
  }

  private boolean timeIsUp(long start) {
    double limit = options.learning().timeLimitMinutes();
    return limit > 0 && (System.nanoTime() - start) / NANOS_PER_MINUTE >= limit;
  }

  private void endEpoch(
      RunFolder folder,
      Session session,
      Trainer trainer,
      Evaluator evaluator,
      RunRecorder recorder,
      Progress progress) {
    int epoch = trainer.epoch();
    if (epoch % options.evaluateEvery() == 0 || trainer.isDone()) {
      record(trainer, recorder, progress);
      Evaluation evaluation = trainer.judged(() -> evaluator.evaluate(false));
      double topOne = evaluation.mean(TaskEvaluation::model, RankingMetrics::topOne);
      double topFive = evaluation.mean(TaskEvaluation::model, RankingMetrics::topFive);
      double pairs = evaluation.mean(TaskEvaluation::model, RankingMetrics::pairAccuracy);
      Map<String, Double> values = new LinkedHashMap<>();
      values.put("loss", evaluation.loss());
      values.put("top1", topOne);
      values.put("top5", topFive);
      values.put("pair_accuracy", pairs);
      recorder.evaluated(trainer.step(), epoch, values);
      progress.message(
          String.format(
              Locale.ROOT,
              "epoch %d: held-out loss %.3f, top-1 %.3f, top-5 %.3f, pairs %.3f",
              epoch,
              evaluation.loss(),
              topOne,
              topFive,
              pairs));
    }
    if (checkpointIsDue(epoch) || trainer.isDone()) {
      record(trainer, recorder, progress);
      save(folder, session, trainer);
    }
  }

  private boolean checkpointIsDue(int epoch) {
    int every = options.checkpointEvery();
    return every > 0 ? epoch % every == 0 : System.nanoTime() - lastSave >= SAVE_NANOS;
  }

  /**
   * Everything after the last step, also of a run that its time limit ends: baseline, table,
   * report.
   */
  private int finish(
      RunFolder folder,
      Session session,
      Trainer trainer,
      Evaluator evaluator,
      RunRecorder recorder,
      Environment environment,
      double minutes) {
    ResultTable table =
        new ResultTable(
            options.model().model().toString(),
            "this model",
            trainer.judged(() -> evaluator.evaluate(true)));
    Map<String, Long> peakByTag = new LinkedHashMap<>();
    session
        .device()
        .ledger()
        .atPeak()
        .forEach((tag, bytes) -> peakByTag.put(tag.name().toLowerCase(Locale.ROOT), bytes));
    if (hasBaseline()) {
      session.pyramids().clear();
      Optional<Evaluation> judged =
          Baseline.train(
              session.device(),
              data,
              options.data().ops(),
              options.baselineEpochs(),
              options.learning().seed(),
              baseline,
              folder.baselineFile(),
              main,
              Terminal.isInteractive(),
              main.interrupts()::requested);
      if (judged.isEmpty()) {
        return Interrupts.EXIT_CODE;
      }
      table.with(Baseline.NAME, "derived features only, no pattern", judged.get());
    }
    ReportData.Memory memory =
        new ReportData.Memory(
            peakByTag,
            session.device().budget().bytes(),
            HostUse.of(host, session.device(), liveHeap),
            SystemMemory.ofThisMachine().peakResidentBytes());
    ReportData report =
        RunReport.of(
            options, data, resolved, environment, recorder.entries(), table, memory, minutes);
    ResultsFile.write(RunFolder.resultsOf(folder.directory()), table.results());
    folder.writeMemory(memory);
    AtomicFiles.writeText(folder.reportFile(), HtmlReport.render(report));
    table.lines().forEach(main::print);
    main.print("");
    main.print(
        String.format(
            Locale.ROOT,
            "%.1f minutes of training; peak memory of tensors %,d MB, of the process %s",
            minutes,
            memory.peakBytes() >> 20,
            memory.peakResidentBytes().isPresent()
                ? String.format(Locale.ROOT, "%,d MB", memory.peakResidentBytes().getAsLong() >> 20)
                : "unknown"));
    main.print("report: " + folder.reportFile());
    return 0;
  }

  private void save(RunFolder folder, Session session, Trainer trainer) {
    CheckpointFolder checkpoints = folder.checkpoints();
    ObjectNode state = JsonNodeFactory.instance.objectNode();
    state.put("step", trainer.step());
    state.put("data", fingerprint());
    ObjectNode patterns = state.putObject(MATRICES);
    matrices.forEach(patterns::put);
    checkpoints.save(
        trainer.step(),
        ModelFile.metadata(session.model().config(), session.statistics()),
        ModelFile.stored(trainer.stateDict()),
        state);
    checkpoints.keep(options.keepCheckpoints(), List.of());
    lastSave = System.nanoTime();
  }

  private void resume(RunFolder folder, Trainer trainer) {
    Optional<Checkpoint> newest = folder.checkpoints().newestValid(main::warn);
    if (newest.isEmpty()) {
      main.warn("no whole checkpoint in " + folder.directory() + ": starting from the beginning");
      return;
    }
    Checkpoint checkpoint = newest.get();
    String then = checkpoint.state().path("data").asText();
    if (!then.equals(fingerprint())) {
      throw new InputException(
          "--data: "
              + options.data().data()
              + " is not what the run in "
              + folder.directory()
              + " was started with; start a new run");
    }
    requireMatrices(checkpoint.state().path(MATRICES), folder.directory());
    ModelFile.loadState(checkpoint.tensors(), trainer.stateDict());
    trainer.resumeAt(checkpoint.step());
  }

  /** Refuses a matrix that is not the one that the run was started with. */
  private void requireMatrices(JsonNode then, Path run) {
    if (then.isMissingNode()) {
      main.warn(
          run + " does not say what its matrices were: going on with those of " + matricesFolder());
      return;
    }
    matrices.forEach(
        (name, hash) -> {
          if (!then.path(name).asText().equals(hash)) {
            throw new InputException(
                "--matrices: "
                    + MatrixFolder.open(matricesFolder()).find(name).orElseThrow()
                    + " is not the matrix that the run in "
                    + run
                    + " was started with: its shape or nonzeros differ; start a new run");
          }
        });
  }

  private Path matricesFolder() {
    return options.data().matrices();
  }

  private static Map<String, String> hashes(TrainingData data) {
    Map<String, String> hashes = new LinkedHashMap<>();
    data.patterns()
        .forEach(pattern -> hashes.put(pattern.name(), Long.toHexString(pattern.patternHash())));
    return hashes;
  }

  /** A hash of every training and validation schedule and its latency; matrices have their own. */
  private String fingerprint() {
    long hash = 1;
    for (var task : data.tasks()) {
      hash = hash * 31 + task.task().id().hashCode();
      for (int[] part : new int[][] {task.train(), task.validation()}) {
        for (int index : part) {
          hash = hash * 31 + task.task().schedule(index).canonicalHash();
          hash = hash * 31 + Double.doubleToLongBits(task.task().latencyMs(index));
        }
        hash = hash * 31 + part.length;
      }
    }
    return Long.toHexString(hash);
  }

  private Environment environment(Session session) {
    Map<String, String> libraries = new LinkedHashMap<>();
    libraries.putAll(session.device().facts());
    libraries.put("parameters", String.valueOf(session.model().parameters().count()));
    return Environment.of(
        selection.chosen(),
        selection.reason(),
        OptionalLong.of(options.learning().seed()),
        libraries);
  }
}
