package autosparse.benchmarks;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModel.Selection;
import autosparse.costmodel.network.CostModels;
import autosparse.costmodel.training.ForwardPasses;
import autosparse.costmodel.training.HeadSteps;
import autosparse.costmodel.training.PyramidCache;
import autosparse.costmodel.training.RankingBatch;
import autosparse.costmodel.training.TaskData;
import autosparse.costmodel.training.Trainer;
import autosparse.costmodel.training.TrainingConfig;
import autosparse.costmodel.training.TrainingData;
import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.Dataset;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixFolder;
import autosparse.schedule.Op;
import autosparse.schedule.Split;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What batching brings, on a data set as {@code train} reads it: schedules trained on a second with
 * operators apart and merged and with several matrices in a step, schedules scored a second one by
 * one and in batches, and the head by itself. No JMH: steps run as in {@code train}, where the host
 * queues ahead of the device, and are timed by the epoch.
 *
 * <pre>java -cp benchmarks/target/benchmarks.jar autosparse.benchmarks.BatchingThroughput \
 *   DEVICE CHANNELS compact|published DATA MATRICES</pre>
 */
public final class BatchingThroughput {
  private static final int BATCH = 1024;
  private static final int MATRICES = 8;

  /** Every shape is met in the first epoch and captured in the second. */
  private static final int WARM_EPOCHS = 2;

  private static final int EPOCHS = 3;
  private static final int SCORED = 2048;
  private static final int HEADS = 50;

  private final Device device;
  private final TrainingData data;
  private final int channels;
  private final ModelConfig.Head head;

  private BatchingThroughput(
      Device device, TrainingData data, int channels, ModelConfig.Head head) {
    this.device = device;
    this.data = data;
    this.channels = channels;
    this.head = head;
  }

  /** Measures and prints a table. */
  public static void main(String[] args) {
    if (args.length != 5 || !args[1].matches("[1-9]\\d{0,3}")) {
      throw new InputException(
          "usage: BatchingThroughput DEVICE CHANNELS compact|published DATA MATRICES");
    }
    List<Op> ops = List.of(Op.SPMM, Op.SPMV, Op.SDDMM);
    Split split = Split.random(Dataset.load(Path.of(args[3]), ops), 1);
    TrainingData data = TrainingData.load(split, MatrixFolder.open(Path.of(args[4])));
    DeviceSelection chosen = DeviceSelection.of(args[0], DeviceSelection.Options.defaults());
    ModelConfig.Head head =
        args[2].equals("published") ? ModelConfig.Head.PUBLISHED : ModelConfig.Head.COMPACT;
    try (Device device = chosen.open()) {
      System.out.printf(
          "%s in %s %s, C = %s, %s head, %d tasks%n",
          chosen.chosen(),
          chosen.precision(),
          device.facts(),
          args[1],
          args[2],
          data.tasks().size());
      new BatchingThroughput(device, data, Integer.parseInt(args[1]), head).run(ops);
    }
  }

  private void run(List<Op> ops) {
    System.out.println("training                     schedules/s     ms/step  launches  waits");
    for (Op op : ops) {
      train(op.id() + " alone", only(op), 1);
    }
    train("operators merged", data, 1);
    train("merged, " + MATRICES + " matrices a step", data, MATRICES);
    System.out.println("scoring                      schedules/s");
    score();
    System.out.println("head forward + backward         schedules    ms");
    headAlone();
  }

  private TrainingData only(Op op) {
    List<TaskData> tasks = data.tasks().stream().filter(t -> t.task().op() == op).toList();
    return new TrainingData(tasks, data.patterns(), data.split());
  }

  private CostModel model(TrainingData of, TensorScope scope) {
    List<Op> ops = of.tasks().stream().map(task -> task.task().op()).distinct().toList();
    ModelConfig config =
        new ModelConfig(
            ModelKind.AUTOSPARSE,
            ops,
            channels,
            ModelConfig.TokenForm.NORMALIZED,
            true,
            1,
            ModelConfig.FeatureAt.TOKEN,
            head);
    return CostModels.create(config, of.statistics(), scope, 1);
  }

  private PyramidCache pyramids(TensorScope scope, TrainingData of) {
    return new PyramidCache(scope, of.patterns(), device.memory().capacity() / 4);
  }

  private static TrainingConfig config(int matricesPerStep) {
    return new TrainingConfig(
        RankingLoss.LAMBDARANK,
        WARM_EPOCHS + EPOCHS,
        BATCH,
        0,
        matricesPerStep,
        1e-4,
        RateSchedule.LINEAR,
        1e-2,
        true,
        1,
        0,
        1);
  }

  private void train(String name, TrainingData of, int matricesPerStep) {
    try (TensorScope scope = device.root().child("training");
        CostModel model = model(of, scope);
        PyramidCache pyramids = pyramids(scope, of);
        Trainer trainer =
            new Trainer(
                model, of, Trainer.encode(model, of), config(matricesPerStep), pyramids, scope)) {
      while (trainer.epoch() < WARM_EPOCHS) {
        trainer.advance();
      }
      trainer.results();
      long launches = launches();
      long waits = waits();
      long start = System.nanoTime();
      long schedules = 0;
      int steps = 0;
      while (!trainer.isDone()) {
        trainer.advance();
        steps++;
      }
      launches = launches() - launches;
      waits = waits() - waits;
      device.synchronize();
      double seconds = (System.nanoTime() - start) / 1e9;
      for (TaskData task : of.tasks()) {
        schedules += (long) EPOCHS * task.train().length;
      }
      System.out.printf(
          Locale.ROOT,
          "  %-26s %,11.0f  %10.2f  %8d  %5d%n",
          name,
          schedules / seconds,
          1e3 * seconds / steps,
          launches / steps,
          waits);
    }
  }

  private long launches() {
    return device instanceof CudaDevice cuda ? cuda.context().launches() : 0;
  }

  private long waits() {
    return device instanceof CudaDevice cuda ? cuda.context().waits() : 0;
  }

  private TaskData largestTask() {
    TaskData largest = data.tasks().get(0);
    for (TaskData task : data.tasks()) {
      if (task.train().length > largest.train().length) {
        largest = task;
      }
    }
    return largest;
  }

  private void score() {
    TaskData task = largestTask();
    int[] indices = Arrays.copyOf(task.train(), Math.min(SCORED, task.train().length));
    try (TensorScope scope = device.root().child("scoring");
        CostModel model = model(data, scope);
        PyramidCache pyramids = pyramids(scope, data)) {
      EncodedTask encoded =
          model.encode(data.patterns().get(task.matrix()), task.problem(), task.task().schedules());
      ForwardPasses passes = ForwardPasses.unplanned(model, scope, pyramids);
      ForwardPasses.Features features = passes.features(task.matrix());
      for (boolean together : new boolean[] {false, true}) {
        List<int[]> parts = new ArrayList<>();
        if (together) {
          parts.add(indices);
        } else {
          Arrays.stream(indices).forEach(index -> parts.add(new int[] {index}));
        }
        parts.forEach(part -> passes.scores(features, encoded, part));
        int rounds = together ? 20 : 1;
        long start = System.nanoTime();
        for (int round = 0; round < rounds; round++) {
          parts.forEach(part -> passes.scores(features, encoded, part));
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
            Locale.ROOT,
            "  %-26s %,11.0f%n",
            together ? "all " + indices.length : "one at a time",
            rounds * (double) indices.length / seconds);
      }
    }
  }

  private void headAlone() {
    TaskData task = largestTask();
    try (TensorScope scope = device.root().child("heads");
        CostModel model = model(data, scope);
        HeadSteps heads =
            new HeadSteps(scope, model.fixedHead().orElseThrow(), RankingLoss.LAMBDARANK)) {
      EncodedTask encoded =
          model.encode(data.patterns().get(task.matrix()), task.problem(), task.task().schedules());
      for (int size : new int[] {128, 768, 2048}) {
        int[] indices = Arrays.copyOf(task.train(), Math.min(size, task.train().length));
        double[] labels = new double[indices.length];
        Arrays.setAll(labels, i -> 1.0 / (1 + i));
        RankingBatch batch =
            new RankingBatch(
                List.of(new Selection(encoded, 0, indices)), labels, new long[] {0, labels.length});
        System.out.printf(
            Locale.ROOT, "  %-26s %,11d  %8.3f%n", "", indices.length, time(scope, heads, batch));
      }
    }
  }

  /** Milliseconds of a run, copies of the batch to the device included, many runs queued. */
  private double time(TensorScope scope, HeadSteps heads, RankingBatch batch) {
    try (TensorScope work = scope.child("head")) {
      Variable features =
          Variable.constant(
              work.zeros("features", MemoryTag.INPUT, 1, ModelConfig.PATTERN_FEATURES));
      Tensor mean = work.real("mean", MemoryTag.INPUT, 1);
      long start = 0;
      for (int run = -HEADS; run < HEADS; run++) {
        if (run == 0) {
          device.synchronize();
          start = System.nanoTime();
        }
        try (Tape tape = Tape.recording(work, 1)) {
          heads.run(tape, features, batch, mean);
        }
      }
      device.synchronize();
      return (System.nanoTime() - start) / 1e6 / HEADS;
    }
  }
}
