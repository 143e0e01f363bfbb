package autosparse.trainer;

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
      description = "Measured schedules, a subfolder per operator.")
  private Path data;

  @Option(
      names = "--matrices",
      paramLabel = "DIR",
      description = "The matrices they were measured on (.csr, .mtx, .mtx.gz).")
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
      description = "Base matrices that --split base holds out (default: chosen by seed).")
  private List<String> heldOut = new ArrayList<>();

  /** Not left to the parser because {@code train --resume} takes both folders from the run. */
  DataOptions toOptions() {
    if (data == null || matrices == null) {
      throw new ParameterException(
          command.commandLine(),
          "Missing required option: '" + (data == null ? "--data" : "--matrices") + "=DIR'");
    }
    return new DataOptions(data, matrices, ops, only, split, heldOut);
  }
}
