package autosparse.trainer;

import autosparse.schedule.Op;
import autosparse.trainer.options.ImportOptions;
import autosparse.trainer.run.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code import}: makes a run folder of weights that others have published. */
@Command(
    name = "import",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Make a run folder of published weights, for rank, evaluate and export.",
      "Nothing that the file names is run; whatever is no weight of the network is refused."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  java -jar target/trainer.jar import --format waco --op spmm \\",
      "    --weights ../shared/data/waco/weights/waco-spmm.pth --out runs/waco-spmm"
    })
final class ImportCommand implements Callable<Integer> {
  /** Whose files can be read. */
  private enum Format {
    WACO;

    @Override
    public String toString() {
      return "waco";
    }
  }

  @Spec private CommandSpec spec;
  @ParentCommand private Main main;

  @Option(
      names = "--format",
      paramLabel = "NAME",
      defaultValue = "waco",
      description = "${COMPLETION-CANDIDATES} (default): a state dict saved by PyTorch.")
  private Format format;

  @Option(
      names = "--op",
      paramLabel = "OP",
      defaultValue = "spmm",
      converter = Converters.OpConverter.class,
      description = "The network's operator: spmm, spmv or sddmm (default: ${DEFAULT-VALUE}).")
  private Op op;

  @Option(
      names = "--weights",
      required = true,
      paramLabel = "FILE",
      description = "The published file (.pth).")
  private Path weights;

  @Option(
      names = "--shape-mean",
      split = ",",
      paramLabel = "ROWS,COLS,NNZ",
      description = {
        "Means that standardise the matrix's shape; they are not published.",
        "Left out (with --shape-std), the network sees shape (0, 0, 0) for",
        "every matrix."
      })
  private List<Double> shapeMean = new ArrayList<>();

  @Option(
      names = "--shape-std",
      split = ",",
      paramLabel = "ROWS,COLS,NNZ",
      description = "The standard deviations to go with --shape-mean.")
  private List<Double> shapeDeviation = new ArrayList<>();

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "The run's folder.")
  private Path out;

  @Option(names = "--force", description = "Delete the run in --out and start anew.")
  private boolean force;

  @Override
  public Integer call() {
    ImportOptions options = new ImportOptions(op, weights, shapeMean, shapeDeviation, out);
    RunFolder.Mode mode = force ? RunFolder.Mode.FORCE : RunFolder.Mode.NEW;
    return switch (format) {
      case WACO -> new Importing(options, mode, ResolvedOptions.of(spec), main).run();
    };
  }
}
