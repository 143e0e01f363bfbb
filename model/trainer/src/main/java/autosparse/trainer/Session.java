package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModels;
import autosparse.costmodel.training.Evaluator;
import autosparse.costmodel.training.ForwardPasses;
import autosparse.costmodel.training.PlannedPasses;
import autosparse.costmodel.training.PyramidCache;
import autosparse.costmodel.training.Trainer;
import autosparse.costmodel.training.TrainingConfig;
import autosparse.costmodel.training.TrainingData;
import autosparse.engine.Device;
import autosparse.layers.RankingLoss;
import autosparse.schedule.DataSetFolder;
import autosparse.schedule.Dataset;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixFolder;
import autosparse.schedule.Op;
import autosparse.schedule.Split;
import autosparse.schedule.Task;
import autosparse.trainer.options.DataOptions;
import java.nio.file.Path;
import java.util.List;

/** A model on a device together with the data it is fitted to or judged on. */
final class Session implements AutoCloseable {
  /** Patterns with their maps may stay on the device up to this share of its memory. */
  private static final int PATTERN_SHARE = 4;

  private final Device device;
  private final TrainingData data;
  private final CostModel model;
  private final ModelStatistics statistics;
  private final List<EncodedTask> encoded;
  private final PyramidCache pyramids;

  private Session(Device device, TrainingData data, CostModel model, ModelStatistics statistics) {
    this.device = device;
    this.data = data;
    this.model = model;
    this.statistics = statistics;
    this.encoded = Trainer.encode(model, data);
    this.pyramids =
        new PyramidCache(
            device.root(), data.patterns(), device.memory().capacity() / PATTERN_SHARE);
  }

  /**
   * Reads records, split and matrices; nothing is written.
   *
   * @param host takes down what is kept; asked before matrices are read
   * @param together matrices that a step works on
   * @param patternBudget bytes of the heap that patterns may take even where the host has more
   */
  static TrainingData read(DataOptions options, HostPlan host, int together, long patternBudget) {
    Dataset records = Dataset.load(options.data(), options.ops());
    for (Op op : options.ops()) {
      if (records.tasks(op).isEmpty()) {
        throw new InputException(options.data() + ": no records of " + op.id());
      }
    }
    if (!options.only().isEmpty()) {
      records = only(records, options.only());
    }
    MatrixFolder matrices = MatrixFolder.open(options.matrices());
    requireMatrices(records, matrices);
    Split split =
        switch (options.split()) {
          case RANDOM -> Split.random(records, options.splitSeed());
          case BASE -> Split.base(records, heldOut(options, records));
          case NONE -> Split.none(records);
        };
    host.keep(HostPlan.SCHEDULES, records.tasks().stream().mapToLong(Task::hostBytes).sum());
    return TrainingData.load(
        split, matrices, host.keepMatrices(files(split, matrices), together, patternBudget));
  }

  /** The file of each matrix of a split once, in the order of its parts. */
  private static List<Path> files(Split split, MatrixFolder matrices) {
    return split.parts().stream()
        .map(part -> matrices.require(part.task().matrix(), part.task().recordFile()))
        .distinct()
        .toList();
  }

  private static Dataset only(Dataset records, List<String> matrices) {
    try {
      return records.only(matrices);
    } catch (InputException e) {
      throw new InputException("--only: " + e.getMessage(), e);
    }
  }

  private static void requireMatrices(Dataset records, MatrixFolder matrices) {
    try {
      records.requireMatrices(matrices);
    } catch (InputException e) {
      throw new InputException(e.getMessage() + "; --only keeps to the matrices named", e);
    }
  }

  /** What the user names, else what the data set names, else what the seed picks. */
  private static List<String> heldOut(DataOptions options, Dataset records) {
    return options.heldOut().isEmpty()
        ? new DataSetFolder(options.data())
            .heldOut()
            .map(names -> names.stream().filter(records.baseNames()::contains).toList())
            .orElseGet(() -> Split.chooseHeldOut(records, options.splitSeed()))
        : options.heldOut();
  }

  /** A fresh model for some data. */
  static Session create(Device device, TrainingData data, ModelConfig config, long seed) {
    ModelStatistics statistics = data.statistics(config.featureBins());
    return new Session(
        device, data, CostModels.create(config, statistics, device.root(), seed), statistics);
  }

  /** A saved model, to be judged on some data. */
  static Session load(Device device, TrainingData data, Path file) {
    ModelFile.Loaded loaded = ModelFile.read(file, device.root());
    return new Session(device, data, loaded.model(), loaded.statistics());
  }

  /** Refuses data of operators that a file's model does not know. */
  static void requireOperators(Path file, ModelConfig model, TrainingData data) {
    List<Op> known = model.ops();
    data.tasks()
        .forEach(
            task -> {
              if (!known.contains(task.task().op())) {
                throw new InputException(
                    file
                        + ": a model of "
                        + known.stream().map(Op::id).toList()
                        + ", not of "
                        + task.task().op().id());
              }
            });
  }

  Device device() {
    return device;
  }

  TrainingData data() {
    return data;
  }

  CostModel model() {
    return model;
  }

  ModelStatistics statistics() {
    return statistics;
  }

  PyramidCache pyramids() {
    return pyramids;
  }

  /**
   * A trainer of the model.
   *
   * @param roomy whether there is memory beyond what single steps take
   */
  Trainer trainer(TrainingConfig config, boolean roomy) {
    return new Trainer(
        model, data, encoded, config, pyramids, device.root(), roomy && device.queuesWork());
  }

  /**
   * A judge of the model.
   *
   * @param plans of all passes that it runs
   */
  Evaluator evaluator(PlannedPasses plans, RankingLoss loss, int batch) {
    ForwardPasses passes = ForwardPasses.planned(model, device.root(), pyramids, plans);
    return new Evaluator(device, model, data, encoded, passes, loss, batch);
  }

  @Override
  public void close() {
    pyramids.close();
    model.close();
  }
}
