package autosparse.trainer;

import autosparse.schedule.Op;
import autosparse.trainer.options.RankOptions;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code rank}: orders schedules for a matrix, the one predicted fastest first. */
@Command(
    name = "rank",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = "Order schedules for one matrix, the one predicted fastest first.",
    footerHeading = "%nExample:%n",
    footer = {
      "  java -jar target/trainer.jar rank --checkpoint runs/spmm \\",
      "    --matrix my.mtx --schedules candidates.txt --top 5"
    })
final class RankCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Mixin private NetworkArguments checkpoints;

  @Option(
      names = "--op",
      paramLabel = "OP",
      defaultValue = "spmm",
      converter = Converters.OpConverter.class,
      description = "spmm, spmv or sddmm (default: ${DEFAULT-VALUE}).")
  private Op op;

  @Option(
      names = "--matrix",
      required = true,
      paramLabel = "FILE",
      description = "The matrix (.csr, .mtx, .mtx.gz).")
  private Path matrix;

  @Option(
      names = "--schedules",
      required = true,
      paramLabel = "FILE",
      description = "Schedules in AutoSparse's encoding or WACO's grammar, one a line.")
  private Path schedules;

  @Option(
      names = "--top",
      paramLabel = "K",
      defaultValue = "10",
      description = "How many to print (default: ${DEFAULT-VALUE}).")
  private int top;

  @Mixin private DeviceArguments device;

  @Override
  public Integer call() {
    RankOptions options =
        new RankOptions(checkpoints.resolve(main), op, matrix, schedules, top, device.toOptions());
    return new Ranking(options, main).run();
  }
}
