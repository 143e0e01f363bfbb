package autosparse.trainer;

import autosparse.trainer.options.ExportOptions;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code export}: the weights alone, for other programs. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = "Write a checkpoint's weights, without training state, for other programs.",
    footerHeading = "%nExample:%n",
    footer = "  java -jar target/trainer.jar export --checkpoint runs/spmm --out spmm.safetensors")
final class ExportCommand implements Callable<Integer> {
  /** File formats that weights can be written in. */
  private enum Format {
    SAFETENSORS;

    @Override
    public String toString() {
      return "safetensors";
    }
  }

  @ParentCommand private Main main;

  @Mixin private CheckpointArgument checkpoint;

  @Option(
      names = "--format",
      paramLabel = "NAME",
      defaultValue = "safetensors",
      description = "${COMPLETION-CANDIDATES} (default).")
  private Format format;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write.")
  private Path out;

  @Option(names = "--force", description = "Replace the file if it is there.")
  private boolean force;

  @Override
  public Integer call() {
    ExportOptions options = new ExportOptions(checkpoint.resolve(main), out, force);
    return switch (format) {
      case SAFETENSORS -> new Exporting(options, main).run();
    };
  }
}
