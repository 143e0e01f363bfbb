package autosparse.trainer;

import autosparse.schedule.Op;
import autosparse.trainer.options.ShowOptions;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code show}: the loop nest of a schedule, and the C function made from it. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Print what a schedule does: its loops, one a line, and the C function made from them.",
      "",
      "A line of the loop nest: the loop, its size (an upper bound for compressed levels), the",
      "mode of A's level (d dense, s compressed, u compressed non-unique, q singleton, c singleton",
      "non-unique), its marks."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  java -jar target/trainer.jar show --op spmv --rows 1000 --cols 1000 --nnz 5000 --c \\",
      "    --schedule \"0 1 A 2 i j A 2 i 0 j 1 0 0 i None None 0 2 32\""
    })
final class ShowCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--schedule",
      required = true,
      paramLabel = "LINE",
      description = "A schedule in AutoSparse's encoding, with or without a latency behind it.")
  private String schedule;

  @Option(
      names = "--op",
      paramLabel = "OP",
      defaultValue = "spmm",
      converter = Converters.OpConverter.class,
      description = "spmm, spmv or sddmm (default: ${DEFAULT-VALUE}).")
  private Op op;

  @Option(
      names = "--matrix",
      paramLabel = "FILE",
      description =
          "The matrix (.csr, .mtx, .mtx.gz); its size in the schedule's format is printed too.")
  private Path matrix;

  @ArgGroup(exclusive = false)
  private ShapeArguments shape;

  @Option(
      names = "--dense",
      paramLabel = "N",
      description = "Extent of the dense axis (default: 128).")
  private Long dense;

  @Option(names = "--c", description = "Print the C function too.")
  private boolean source;

  /** A shape instead of a matrix. */
  static final class ShapeArguments {
    @Option(
        names = "--rows",
        required = true,
        paramLabel = "N",
        description = "Rows, where there is no matrix.")
    private long rows;

    @Option(names = "--cols", required = true, paramLabel = "N", description = "Columns.")
    private long cols;

    @Option(names = "--nnz", required = true, paramLabel = "N", description = "Nonzeros.")
    private long nnz;
  }

  @Override
  public Integer call() {
    ShowOptions options =
        new ShowOptions(
            schedule,
            op,
            Optional.ofNullable(matrix),
            Optional.ofNullable(shape)
                .map(given -> new ShowOptions.Shape(given.rows, given.cols, given.nnz)),
            Optional.ofNullable(dense),
            source);
    return new Showing(options, main).run();
  }
}
