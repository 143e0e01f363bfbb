package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.InputException;
import autosparse.trainer.options.HeadSize;
import autosparse.trainer.options.LearningOptions;
import autosparse.trainer.options.ModelOptions;
import autosparse.trainer.options.Switch;
import autosparse.trainer.options.TrainOptions;
import autosparse.trainer.run.RunFolder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code train}: learns a cost model from measured schedules. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = "Train a cost model on measured schedules and write a run folder.",
    footerHeading = "%nExample:%n",
    footer = {
      "  java -jar target/trainer.jar train --data ../shared/data/records \\",
      "    --matrices ../shared/data/matrices --op spmm --out runs/spmm",
      "Ctrl-C saves and ends; to go on: train --out runs/spmm --resume"
    })
final class TrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @ParentCommand private Main main;
  @Mixin private DataArguments data;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      defaultValue = "autosparse",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private ModelKind model;

  @Option(
      names = "--channels",
      paramLabel = "N",
      defaultValue = "32",
      description = "Channels of the convolutions (default: ${DEFAULT-VALUE}; published: 128).")
  private int channels;

  @Option(
      names = "--attention-layers",
      paramLabel = "1|2",
      defaultValue = "1",
      description = "Attention layers (default: ${DEFAULT-VALUE}).")
  private int attentionLayers;

  @Option(
      names = "--feature-at",
      paramLabel = "PLACE",
      defaultValue = "token",
      description = {
        "Where the matrix enters: as a token, or by concat to the",
        "attention's result (default: ${DEFAULT-VALUE})."
      })
  private ModelConfig.FeatureAt featureAt;

  @Option(
      names = "--tokens",
      paramLabel = "FORM",
      defaultValue = "normalized",
      description = "Numbers in tokens: normalized or published (default: ${DEFAULT-VALUE}).")
  private ModelConfig.TokenForm tokens;

  @Option(
      names = "--derived-features",
      paramLabel = "on|off",
      defaultValue = "on",
      description = {
        "Iterations per thread, sizes of levels and the like in tokens",
        "(default: ${DEFAULT-VALUE})."
      })
  private Switch derivedFeatures;

  @Option(
      names = "--work-features",
      paramLabel = "on|off",
      defaultValue = "on",
      description = {
        "What a schedule does with the matrix, counted from its pattern:",
        "real sizes of levels, trip counts, bytes touched, busiest thread;",
        "beside derived features (default: ${DEFAULT-VALUE})."
      })
  private Switch workFeatures;

  @Option(
      names = "--feature-bins",
      paramLabel = "N",
      defaultValue = "16",
      description = {
        "Most bins of a derived or work feature's piecewise linear",
        "encoding; 0 for none (default: ${DEFAULT-VALUE})."
      })
  private int featureBins;

  @Option(
      names = "--head",
      paramLabel = "SIZE",
      defaultValue = "compact",
      description = "Widths of the transformer: compact or published (default: ${DEFAULT-VALUE}).")
  private HeadSize head;

  @Option(
      names = "--loss",
      paramLabel = "NAME",
      defaultValue = "margin-lambdarank",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private RankingLoss loss;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "22",
      description = "Passes over the training schedules (default: ${DEFAULT-VALUE}).")
  private int epochs;

  @Option(
      names = "--time-limit",
      paramLabel = "MIN",
      defaultValue = "0",
      description = "Stop training after so many minutes; 0 (default) is no limit.")
  private double timeLimit;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Schedules per matrix and step (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--batches-per-epoch",
      paramLabel = "N",
      defaultValue = "0",
      description = "Random batches per matrix and epoch; 0 (default) is all, 1 is WACO's way.")
  private int batchesPerEpoch;

  @Option(
      names = "--matrices-per-step",
      paramLabel = "N",
      defaultValue = "1",
      description = "Matrices in one step (default: ${DEFAULT-VALUE}).")
  private int matricesPerStep;

  @Option(
      names = "--lr",
      paramLabel = "X",
      defaultValue = "1e-3",
      description = "Learning rate (default: ${DEFAULT-VALUE}).")
  private double learningRate;

  @Option(
      names = "--rate-schedule",
      paramLabel = "NAME",
      defaultValue = "linear",
      description = "${COMPLETION-CANDIDATES} over the run (default: ${DEFAULT-VALUE}).")
  private RateSchedule rateSchedule;

  @Option(
      names = "--weight-decay",
      paramLabel = "X",
      defaultValue = "0.01",
      description = "Weight decay (default: ${DEFAULT-VALUE}).")
  private double weightDecay;

  @Option(
      names = "--clip",
      paramLabel = "X",
      defaultValue = "1",
      description = "Largest norm of the gradient; 0 is no clipping (default: ${DEFAULT-VALUE}).")
  private double clip;

  @Option(
      names = "--ema",
      paramLabel = "SHARE",
      defaultValue = LearningOptions.DEFAULT_EMA,
      description = {
        "Judge and save the exponential moving average of the weights; its",
        "horizon as a share of the run's steps; 0 for none (default:",
        "${DEFAULT-VALUE})."
      })
  private double ema;

  @Mixin private DeviceArguments device;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = {
        "Of every random choice: same seed, same weights. Other seeds on the",
        "same split: with one --split-seed (default: ${DEFAULT-VALUE})."
      })
  private long seed;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      defaultValue = "0",
      description = {
        "Epochs between checkpoints; 0 (default) saves at the end of an",
        "epoch when the last checkpoint is two minutes old."
      })
  private int checkpointEvery;

  @Option(
      names = "--keep-checkpoints",
      paramLabel = "N",
      defaultValue = "3",
      description = "Newest checkpoints to keep (default: ${DEFAULT-VALUE}).")
  private int keepCheckpoints;

  @Option(
      names = "--evaluate-every",
      paramLabel = "N",
      defaultValue = "2",
      description = "Epochs between evaluations (default: ${DEFAULT-VALUE}).")
  private int evaluateEvery;

  @Option(
      names = "--baseline-epochs",
      paramLabel = "N",
      defaultValue = "12",
      description = {
        "Epochs of the features-mlp trained afterwards for the tables;",
        "0 for none (default: ${DEFAULT-VALUE})."
      })
  private int baselineEpochs;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "The run's folder.")
  private Path out;

  @Option(
      names = "--resume",
      description = "Go on with the run in --out; options not given are as they were.")
  private boolean resume;

  @Option(names = "--force", description = "Delete the run in --out and start anew.")
  private boolean force;

  /** Runs {@code train} as if called with these arguments. */
  static int run(List<String> arguments, Main main) {
    TrainCommand command = new TrainCommand();
    Main.configure(new CommandLine(command)).parseArgs(arguments.toArray(String[]::new));
    command.main = main;
    return command.call();
  }

  @Override
  public Integer call() {
    if (resume && force) {
      throw new InputException("--resume and --force: expected one of them");
    }
    if (!resume) {
      return run(force ? RunFolder.Mode.FORCE : RunFolder.Mode.NEW, main);
    }
    Map<String, Object> started = ResolvedOptions.ofRun(out);
    if (!started.containsKey("model")) {
      throw new InputException("--resume: " + out + " holds imported weights, no training run");
    }
    List<String> arguments =
        ResolvedOptions.merge(spec.commandLine().getParseResult(), started, out);
    TrainCommand resumed = new TrainCommand();
    Main.configure(new CommandLine(resumed)).parseArgs(arguments.toArray(String[]::new));
    return resumed.run(RunFolder.Mode.RESUME, main);
  }

  private int run(RunFolder.Mode mode, Main console) {
    TrainOptions options = toOptions();
    Map<String, Object> resolved = ResolvedOptions.of(spec);
    RunFolder.check(out, mode);
    Training training = Training.prepare(options, resolved, console);
    return training.run(out, mode);
  }

  private TrainOptions toOptions() {
    return new TrainOptions(
        data.toOptions(seed),
        new ModelOptions(
            model,
            channels,
            attentionLayers,
            featureAt,
            tokens,
            derivedFeatures == Switch.ON,
            workFeatures == Switch.ON,
            featureBins,
            head),
        new LearningOptions(
            loss,
            epochs,
            timeLimit,
            batch,
            batchesPerEpoch,
            matricesPerStep,
            learningRate,
            rateSchedule,
            weightDecay,
            clip,
            ema,
            seed),
        device.toOptions(),
        out,
        checkpointEvery,
        evaluateEvery,
        keepCheckpoints,
        baselineEpochs);
  }
}
