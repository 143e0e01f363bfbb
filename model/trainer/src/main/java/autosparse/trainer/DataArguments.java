package autosparse.trainer;

import autosparse.schedule.DataSetFolder;
import autosparse.schedule.Op;
import autosparse.schedule.Split;
import autosparse.trainer.options.DataOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say what to learn from or to judge on. */
final class DataArguments {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Measured schedules, a subfolder per operator, or a data set that collect has made.")
  private Path data;

  @Option(
      names = "--matrices",
      paramLabel = "DIR",
      description = {
        "The matrices they were measured on (.csr, .mtx, .mtx.gz;",
        "default: those in the data set's own folder)."
      })
  private Path matrices;

  @Option(
      names = "--op",
      split = ",",
      paramLabel = "OP",
      defaultValue = "spmm",
      converter = Converters.OpConverter.class,
      description = "spmm, spmv, sddmm, or several with commas (default: ${DEFAULT-VALUE}).")
  private List<Op> ops;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "NAME",
      description = "Keep to these matrices (default: all that have records).")
  private List<String> only = new ArrayList<>();

  @Option(
      names = "--split",
      paramLabel = "KIND",
      defaultValue = "random",
      converter = Converters.SplitConverter.class,
      description = {
        "random holds out a fifth of each task's schedules, base whole",
        "matrices, none everything: to judge a model trained elsewhere",
        "(default: ${DEFAULT-VALUE})."
      })
  private Split.Kind split;

  @Option(
      names = "--held-out",
      split = ",",
      paramLabel = "NAME",
      description =
          "Base matrices that --split base holds out (default: as the data set says, else by seed).")
  private List<String> heldOut = new ArrayList<>();

  @Option(
      names = "--split-seed",
      paramLabel = "N",
      description = {
        "Of the random choice of what is held out (default: train takes its",
        "--seed, evaluate what the run took, 1 for a file)."
      })
  private Long splitSeed;

  /**
   * Not left to the parser because {@code train --resume} takes both folders from the run.
   *
   * @param seed of the split where none is given
   */
  DataOptions toOptions(long seed) {
    Path found = matrices;
    if (data != null && found == null && DataSetFolder.isOne(data)) {
      found = new DataSetFolder(data).matrices();
    }
    if (data == null || found == null) {
      throw new ParameterException(
          command.commandLine(),
          "Missing required option: '" + (data == null ? "--data" : "--matrices") + "=DIR'");
    }
    return new DataOptions(
        data, found, ops, only, split, heldOut, splitSeed == null ? seed : splitSeed);
  }
}
