package autosparse.trainer;

import autosparse.trainer.options.GenerateOptions;
import autosparse.tuner.generate.MatrixWriter;
import autosparse.tuner.generate.PatternKind;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code generate}: matrices by kind and seed. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Generate sparse matrices (patterns without values) by kind and seed.",
      "",
      "The same options give the same files everywhere. Kinds: band, blocks, rmat, uniform,",
      "stencil, powerlaw (rows), arrow; expand (every nonzero of --matrix becomes a block of",
      "--shape) and resize (--matrix scaled to --shape), both named MATRIX_RxC_n, so that --split",
      "base keeps them with their base; mix (all of these in many sizes)."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  java -jar target/trainer.jar generate --kind rmat --rows 4096 --nnz 40000 --out rmat.csr",
      "  java -jar target/trainer.jar generate --kind mix --count 40 --out set/matrices"
    })
final class GenerateCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--kind",
      required = true,
      paramLabel = "KIND",
      description = "The kind of pattern, or mix.")
  private String kind;

  @Option(names = "--rows", paramLabel = "N", description = "Rows.")
  private Integer rows;

  @Option(names = "--cols", paramLabel = "N", description = "Columns (default: as many as rows).")
  private Integer cols;

  @Option(
      names = "--nnz",
      paramLabel = "N",
      description = {
        "Nonzeros to aim for. A stencil's follow from its points; rmat draws N",
        "places, and those that coincide are one nonzero."
      })
  private Long nnz;

  @Option(
      names = "--parameter",
      paramLabel = "X",
      description = {
        "band: share of it filled (.5); blocks: edge (8); rmat: chance of the upper",
        "left quarter (.57); stencil: points, 5, 9 or 7 in 3-D (5); powerlaw:",
        "exponent (1); expand: share of a block filled (1)."
      })
  private Double parameter;

  @Option(names = "--matrix", paramLabel = "FILE", description = "What a variant is made from.")
  private Path matrix;

  @Option(
      names = "--shape",
      paramLabel = "RxC",
      converter = Converters.ShapeConverter.class,
      description = "expand: the block, e.g. 16x4; resize: the new rows and columns.")
  private GenerateOptions.Shape shape;

  @Option(
      names = "--min-rows",
      paramLabel = "N",
      defaultValue = "500",
      description = "mix: fewest rows (default: ${DEFAULT-VALUE}).")
  private int minRows;

  @Option(
      names = "--max-rows",
      paramLabel = "N",
      defaultValue = "20000",
      description = "mix: most rows and columns (default: ${DEFAULT-VALUE}).")
  private int maxRows;

  @Option(
      names = "--min-nnz",
      paramLabel = "N",
      defaultValue = "2000",
      description = "mix: fewest nonzeros (default: ${DEFAULT-VALUE}).")
  private long minNnz;

  @Option(
      names = "--max-nnz",
      paramLabel = "N",
      defaultValue = "120000",
      description = "mix: most nonzeros (default: ${DEFAULT-VALUE}).")
  private long maxNnz;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = "1",
      description = "Matrices, each from a stream of its own (default: ${DEFAULT-VALUE}).")
  private int count;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of all draws (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--format",
      paramLabel = "FORM",
      converter = Converters.MatrixFormatConverter.class,
      description = "csr, mtx or mtx.gz (default: as --out ends, else mtx.gz).")
  private MatrixWriter.Format format;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE|DIR",
      description = "A file that ends in .csr, .mtx or .mtx.gz, or a folder.")
  private Path out;

  @Option(names = "--force", description = "Write over files that are there.")
  private boolean force;

  @Override
  public Integer call() {
    GenerateOptions options =
        new GenerateOptions(
            kind.equals("mix") ? Optional.empty() : Optional.of(PatternKind.parse(kind)),
            rows == null ? OptionalInt.empty() : OptionalInt.of(rows),
            cols == null ? OptionalInt.empty() : OptionalInt.of(cols),
            nnz == null ? OptionalLong.empty() : OptionalLong.of(nnz),
            parameter == null ? OptionalDouble.empty() : OptionalDouble.of(parameter),
            Optional.ofNullable(matrix),
            Optional.ofNullable(shape),
            new GenerateOptions.Bounds(minRows, maxRows, minNnz, maxNnz),
            count,
            seed,
            Optional.ofNullable(format),
            out,
            force);
    return new Generating(options, main).run();
  }
}
