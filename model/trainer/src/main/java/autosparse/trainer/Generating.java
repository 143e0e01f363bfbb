package autosparse.trainer;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.engine.RandomStream;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.SparsityPattern;
import autosparse.trainer.options.GenerateOptions;
import autosparse.trainer.run.Interrupts;
import autosparse.trainer.run.Progress;
import autosparse.trainer.run.Terminal;
import autosparse.tuner.generate.MatrixRows;
import autosparse.tuner.generate.MatrixWriter;
import autosparse.tuner.generate.PatternKind;
import autosparse.tuner.generate.PatternMix;
import autosparse.tuner.generate.PatternMix.Named;
import autosparse.tuner.generate.PatternSpec;
import autosparse.tuner.generate.Patterns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The work of {@code generate}. */
final class Generating {
  private final GenerateOptions options;
  private final Main main;

  Generating(GenerateOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  int run() {
    Optional<MatrixWriter.Format> named = formatOf(options.out());
    MatrixWriter.Format format = options.format().orElse(named.orElse(MatrixWriter.Format.MTX_GZ));
    if (named.isPresent() && named.get() != format) {
      throw new InputException(
          "--format " + format.id() + ": --out ends in " + named.get().suffix());
    }
    if (named.isPresent() && options.count() > 1) {
      throw new InputException(
          "--count: " + options.count() + ", expected 1 where --out is a file; name a folder");
    }
    List<Named> matrices = matrices();
    List<Path> files = new ArrayList<>();
    for (Named matrix : matrices) {
      Path file =
          named.isPresent()
              ? options.out()
              : options.out().resolve(matrix.name() + format.suffix());
      if (Files.exists(file) && !options.force()) {
        throw new InputException("--out: " + file + " is there already; --force writes over it");
      }
      files.add(file);
    }
    createFolder(named.isPresent() ? options.out().toAbsolutePath().getParent() : options.out());
    main.interrupts().arm();
    long nonzeros = 0;
    long bytes = 0;
    try (Progress progress =
        Progress.start(main.err(), Terminal.isInteractive(), "generate", 0, matrices.size())) {
      for (int m = 0; m < matrices.size(); m++) {
        if (main.interrupts().requested()) {
          return Interrupts.EXIT_CODE;
        }
        Named matrix = matrices.get(m);
        nonzeros +=
            MatrixWriter.write(matrix.pattern(), files.get(m), format, matrix.description());
        bytes += Files.size(files.get(m));
        progress.update(m + 1L, matrix.name());
      }
    } catch (IOException e) {
      throw new FileWriteException(options.out(), e);
    }
    main.print(
        String.format(
            Locale.ROOT,
            "%d %s, %,d nonzeros, %,d bytes: %s",
            matrices.size(),
            matrices.size() == 1 ? "matrix" : "matrices",
            nonzeros,
            bytes,
            options.out()));
    return 0;
  }

  private List<Named> matrices() {
    if (options.kind().isEmpty()) {
      GenerateOptions.Bounds bounds = options.bounds();
      return new PatternMix(
              options.count(),
              bounds.minRows(),
              bounds.maxRows(),
              bounds.minNnz(),
              bounds.maxNnz(),
              options.seed())
          .matrices();
    }
    PatternKind kind = options.kind().get();
    List<Named> matrices = new ArrayList<>();
    if (kind.isVariant()) {
      SparsityPattern base = MatrixReader.read(options.matrix().orElseThrow());
      for (int n = 0; n < options.count(); n++) {
        matrices.add(variant(kind, base, n));
      }
      return matrices;
    }
    for (int n = 1; n <= options.count(); n++) {
      long seed = RandomStream.named(options.seed(), kind.id() + "/" + n).nextLong();
      int rows = options.rows().orElseThrow();
      PatternSpec spec =
          new PatternSpec(
              kind,
              rows,
              options.cols().orElse(rows),
              options.nnz().orElse(0),
              options.parameter().orElse(PatternSpec.usual(kind)),
              seed);
      matrices.add(
          new Named(
              String.format(Locale.ROOT, "%s%02d", kind.id(), n),
              Patterns.of(spec),
              spec.toString()));
    }
    return matrices;
  }

  private Named variant(PatternKind kind, SparsityPattern base, int number) {
    GenerateOptions.Shape shape = options.block().orElseThrow();
    String name = base.name() + "_" + shape.rows() + "x" + shape.cols() + "_" + number;
    double filled = options.parameter().orElse(1);
    if (!(filled > 0 && filled <= 1)) {
      throw new InputException("--parameter: " + filled + ", expected a share, above 0 to 1");
    }
    if (base.rows() == 0 || base.cols() == 0) {
      throw new InputException(
          options.matrix().orElseThrow() + ": a matrix without rows or columns");
    }
    boolean expand = kind == PatternKind.EXPAND;
    long rows = expand ? (long) base.rows() * shape.rows() : shape.rows();
    long cols = expand ? (long) base.cols() * shape.cols() : shape.cols();
    if (Math.max(rows, cols) > PatternSpec.MAX_EXTENT) {
      throw new InputException(
          "--shape: makes " + rows + " x " + cols + ", expected at most " + PatternSpec.MAX_EXTENT);
    }
    MatrixRows pattern =
        expand
            ? Patterns.expand(
                base,
                shape.rows(),
                shape.cols(),
                filled,
                RandomStream.named(options.seed(), name).nextLong())
            : Patterns.resize(base, shape.rows(), shape.cols());
    return new Named(name, pattern, kind.id() + " of " + base.name());
  }

  private static Optional<MatrixWriter.Format> formatOf(Path file) {
    String name = String.valueOf(file.getFileName());
    for (MatrixWriter.Format format : MatrixWriter.Format.values()) {
      if (name.endsWith(format.suffix())) {
        return Optional.of(format);
      }
    }
    return Optional.empty();
  }

  private static void createFolder(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new InputException(
          "--out: cannot write to " + folder + ": " + FileWriteException.reason(e), e);
    }
  }
}
