package autosparse.costmodel.training;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelConfig.FeatureAt;
import autosparse.costmodel.ModelConfig.TokenForm;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.SyntheticData;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.network.CostModels;
import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.Tensor;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.Op;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/** A trainer with all that it needs, small; and a program that prints what weights it reaches. */
public final class TinyTraining implements AutoCloseable {
  static final List<Op> OPS = List.of(Op.SPMM, Op.SPMV);

  final Device device;
  final CostModel model;
  final TrainingData data;
  final List<EncodedTask> encoded;
  final PyramidCache pyramids;
  final Trainer trainer;

  TinyTraining(TrainingData data, ModelConfig model, TrainingConfig config, int threads) {
    this(
        data,
        model,
        config,
        HostDevice.cpu(HostDevice.Options.defaults().withCapacity(1L << 30).withThreads(threads)));
  }

  /** Takes the device over: it is closed with the training. */
  TinyTraining(TrainingData data, ModelConfig model, TrainingConfig config, Device device) {
    this(data, model, config, device, device.queuesWork());
  }

  TinyTraining(
      TrainingData data, ModelConfig model, TrainingConfig config, Device device, boolean replays) {
    this.data = data;
    this.device = device;
    ModelStatistics statistics = data.statistics();
    this.model = CostModels.create(model, statistics, device.root(), config.seed());
    encoded = Trainer.encode(this.model, data);
    pyramids = new PyramidCache(device.root(), data.patterns(), 1L << 28);
    trainer = new Trainer(this.model, data, encoded, config, pyramids, device.root(), replays);
  }

  /** Three matrices, two operators. */
  static TrainingData data(Path folder) throws IOException {
    return SyntheticData.write(folder, 3, OPS, 60, 40, 50).load(OPS);
  }

  /** Of all operators of the data, or of the only one that WACO's network takes. */
  static ModelConfig model(ModelKind kind) {
    return model(kind, kind == ModelKind.WACO ? List.of(Op.SPMM) : OPS, 4);
  }

  static ModelConfig model(ModelKind kind, List<Op> ops, int channels) {
    return new ModelConfig(
        kind,
        ops,
        channels,
        TokenForm.NORMALIZED,
        true,
        1,
        FeatureAt.TOKEN,
        new ModelConfig.Head(32, 16, 2, 32));
  }

  static TrainingConfig config(int epochs, int matricesPerStep) {
    return config(epochs, matricesPerStep, 3e-3);
  }

  static TrainingConfig config(int epochs, int matricesPerStep, double rate) {
    return config(RankingLoss.LAMBDARANK, epochs, matricesPerStep, rate);
  }

  static TrainingConfig config(RankingLoss loss, int epochs, int matricesPerStep, double rate) {
    return config(loss, epochs, matricesPerStep, rate, 0.1);
  }

  static TrainingConfig config(
      RankingLoss loss, int epochs, int matricesPerStep, double rate, double ema) {
    return new TrainingConfig(
        loss, epochs, 16, 0, matricesPerStep, rate, RateSchedule.LINEAR, 1e-2, true, 1, ema, 5);
  }

  void run(long steps) {
    for (long step = 0; step < steps; step++) {
      trainer.advance();
    }
  }

  /** Every bit of weights and optimiser, by name. */
  Map<String, Integer> bits() {
    Map<String, Integer> bits = new TreeMap<>();
    trainer.stateDict().tensors().forEach((name, tensor) -> bits.put(name, hash(tensor)));
    return bits;
  }

  private static int hash(Tensor tensor) {
    CRC32 crc = new CRC32();
    for (float value : tensor.toFloats()) {
      int word = Float.floatToRawIntBits(value);
      for (int shift = 0; shift < 32; shift += 8) {
        crc.update(word >>> shift & 0xff);
      }
    }
    return (int) crc.getValue();
  }

  /** Passes of the model, as if memory were plenty. */
  ForwardPasses passes() {
    return ForwardPasses.unplanned(model, device.root(), pyramids);
  }

  /** Judges on the data's validation schedules. */
  Evaluator evaluator() {
    return new Evaluator(device, model, data, encoded, passes(), RankingLoss.LAMBDARANK, 16);
  }

  @Override
  public void close() {
    trainer.close();
    pyramids.close();
    model.close();
    device.close();
  }

  /**
   * Trains for 20 steps and prints a hash of all weights.
   *
   * @param args a folder for the data set
   */
  public static void main(String[] args) throws IOException {
    TrainingData data = data(Path.of(args[0]));
    StringBuilder hashes = new StringBuilder();
    for (ModelKind kind : List.of(ModelKind.AUTOSPARSE, ModelKind.FEATURES_MLP)) {
      try (TinyTraining training = new TinyTraining(data, model(kind), config(20, 2), 2)) {
        training.run(20);
        hashes.append(Integer.toHexString(training.bits().hashCode())).append(' ');
      }
    }
    System.out.println("weights " + hashes.toString().strip());
  }
}
